//! `ws-compare` on a planted regression: a copy per message, in a commit that no branch leads to. The comparison must end
//! with 3 and name file and line; HEAD against itself must pass, and the way back must be an improvement.
//!
//! Builds two revisions, so `cargo test` leaves it out; `scripts/check-compare.sh` runs it. Neither the working tree nor
//! its index is touched.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use compare::subject::Subject;

/// The file that the copy is planted in.
const FILE: &str = "server/src/echo.rs";

/// The function that every echoed message passes, and the copy.
const FUNCTION: &str = "    fn take(";
const PLANT: &str = "std::hint::black_box(message.clone().into_data().to_vec());";

const SCENARIO: &str = "echo_text_64b_1000_msgs: regressed";

fn workspace() -> Result<PathBuf> {
    Ok(Subject::find(Path::new(env!("CARGO_MANIFEST_DIR")))?.root)
}

/// The output of git for `args`, with `input` on its stdin and `index` as its index.
fn git(args: &[&str], index: &Path, input: &str) -> Result<String> {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=plant", "-c", "user.email=plant@localhost"]).args(args);
    git.current_dir(workspace()?).env("GIT_INDEX_FILE", index);
    let mut child = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().context("stdin is a pipe")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "git {} failed", args.join(" "));
    Ok(String::from_utf8(output.stdout)?)
}

/// The source with the copy in the first line of [`FUNCTION`], and the number of that line.
fn planted(source: &str) -> Result<(String, usize)> {
    let at = source.find(FUNCTION).with_context(|| format!("{FILE} has no {FUNCTION}"))?;
    let body = source[at..].find("{\n").context("the function has a body")?;
    let (before, after) = source.split_at(at + body + 2);
    Ok((format!("{before}        {PLANT}\n{after}"), before.lines().count() + 1))
}

/// HEAD, a commit on top of it with the copy in it, and the copy's line number.
fn commit() -> Result<(String, String, usize)> {
    let folder = tempfile::tempdir()?;
    let index = folder.path().join("index");
    let run = |args: &[&str], input: &str| {
        git(args, &index, input).map(|text| text.trim_end().to_owned())
    };
    let head = run(&["rev-parse", "HEAD"], "")?;
    let (source, line) = planted(&git(&["show", &format!("{head}:{FILE}")], &index, "")?)?;
    let blob = run(&["hash-object", "-w", "--stdin"], &source)?;
    run(&["read-tree", &head], "")?;
    run(&["update-index", "--cacheinfo", &format!("100644,{blob},{FILE}")], "")?;
    let tree = run(&["write-tree"], "")?;
    let commit = run(&["commit-tree", "-p", &head, "-m", "plant a copy per message", &tree], "")?;
    Ok((head, commit, line))
}

/// Parts of a comparison.
#[derive(PartialEq)]
enum Parts {
    /// Exact counts and instructions.
    All,
    /// Exact counts.
    Exact,
}

/// Compares `parts` and never timings, whose power is calibrated elsewhere; stdout, if the exit code is `code`.
fn compare(base: &str, head: &str, parts: Parts, code: i32) -> Result<String> {
    println!("\n-- ws-compare compare {base} {head}: exit code {code} is due");
    let mut compare = Command::new(env!("CARGO_BIN_EXE_ws-compare"));
    compare.args(["compare", base, head, "--skip", "timing"]).current_dir(workspace()?);
    if parts == Parts::Exact {
        compare.args(["--skip", "instructions"]);
    }
    // Counts of one arm are compared with those of the other, so a build that takes less time serves.
    compare.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    let output = compare.stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8(output.stdout)?;
    println!("{text}");
    ensure!(output.status.code() == Some(code), "it was {}", output.status);
    Ok(text)
}

#[test]
fn a_planted_copy_is_a_regression_and_its_removal_an_improvement() -> Result<()> {
    let (head, red, line) = commit()?;
    let text = compare(&head, &red, Parts::All, 3)?;
    let place = format!("{FILE}:{line}");
    for words in [SCENARIO, &place] {
        ensure!(text.contains(words), "the table does not say {words:?}");
    }
    compare(&head, &head, Parts::All, 0)?;
    // The instructions of both are known by now.
    compare(&red, &head, Parts::Exact, 4)?;
    Ok(())
}
