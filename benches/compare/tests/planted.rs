//! `ws-compare` on a planted regression: a copy per message, in a commit that no branch leads to, must turn it red and be
//! named by file and line; HEAD against itself must be green, and the way back must read as improved.
//!
//! Builds two revisions, so `cargo test` leaves it out; `scripts/check-compare.sh` runs it. Neither the working tree nor
//! its index is touched.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// The file that the copy is planted in.
const FILE: &str = "server/src/echo.rs";

/// The function that every echoed message passes, and the copy.
const FUNCTION: &str = "    fn take(";
const PLANT: &str = "std::hint::black_box(message.clone().into_data().to_vec());";

const SCENARIO: &str = "echo_text_64b_1000_msgs: regressed";

fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).expect("it lies in benches").to_owned()
}

/// What git prints for `args`, with `input` on its stdin and `index` for its index.
fn git(args: &[&str], index: &Path, input: &str) -> Result<String> {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=plant", "-c", "user.email=plant@localhost"]).args(args);
    git.current_dir(root()).env("GIT_INDEX_FILE", index);
    let mut child = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().context("stdin is a pipe")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "git {} failed", args.join(" "));
    Ok(String::from_utf8(output.stdout)?)
}

/// The source with the copy at the begin of [`FUNCTION`], and the copy's line number.
fn planted(source: &str) -> Result<(String, usize)> {
    let at = source.find(FUNCTION).with_context(|| format!("{FILE} has no {FUNCTION}"))?;
    let body = source[at..].find("{\n").context("the function has a body")?;
    let (before, after) = source.split_at(at + body + 2);
    Ok((format!("{before}        {PLANT}\n{after}"), before.lines().count() + 1))
}

/// A commit on top of HEAD with the copy in it, and the copy's line number.
fn commit() -> Result<(String, usize)> {
    let folder = tempfile::tempdir()?;
    let index = folder.path().join("index");
    let run = |args: &[&str], input: &str| {
        git(args, &index, input).map(|text| text.trim_end().to_owned())
    };
    let (source, line) = planted(&git(&["show", &format!("HEAD:{FILE}")], &index, "")?)?;
    let blob = run(&["hash-object", "-w", "--stdin"], &source)?;
    run(&["read-tree", "HEAD"], "")?;
    run(&["update-index", "--cacheinfo", &format!("100644,{blob},{FILE}")], "")?;
    let tree = run(&["write-tree"], "")?;
    let commit = run(&["commit-tree", "-p", "HEAD", "-m", "plant a copy per message", &tree], "")?;
    Ok((commit, line))
}

/// Compares without timings, whose power is calibrated elsewhere; stdout, if the exit code is `code`.
fn compare(base: &str, head: &str, code: i32) -> Result<String> {
    println!("\n-- ws-compare compare {base} {head}: exit code {code} is due");
    let mut compare = Command::new(env!("CARGO_BIN_EXE_ws-compare"));
    compare.args(["compare", base, head, "--skip", "timing"]).current_dir(root());
    let output = compare.stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8(output.stdout)?;
    println!("{text}");
    ensure!(output.status.code() == Some(code), "it was {}", output.status);
    Ok(text)
}

#[test]
fn a_planted_copy_is_red_and_named_and_its_removal_is_an_improvement() -> Result<()> {
    let (red, line) = commit()?;
    let text = compare("HEAD", &red, 3)?;
    let place = format!("{FILE}:{line}");
    for words in [SCENARIO, &place] {
        ensure!(text.contains(words), "the table does not say {words:?}");
    }
    compare("HEAD", "HEAD", 0)?;
    compare(&red, "HEAD", 4)?;
    Ok(())
}
