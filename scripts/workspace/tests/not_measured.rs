//! What the scripts end with where nothing can be measured.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// A folder of programs without node, a browser, python, go, git and systemd, in which every build and test by cargo succeeds.
fn bare_machine() -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    plant(folder.path(), "[ \"$1\" != test ] || echo 'test result: ok. 1 passed'")?;
    for name in ["dirname", "realpath", "mkdir", "mktemp", "cp", "rm", "sed"] {
        symlink(found(name)?, folder.path().join(name))?;
    }
    Ok(folder)
}

/// Makes `script` the cargo of `machine`.
fn plant(machine: &Path, script: &str) -> Result<()> {
    program(&machine.join("cargo"), script)
}

fn program(file: &Path, script: &str) -> Result<()> {
    fs::write(file, format!("#!{}\n{script}\n", found("bash")?.display()))?;
    Ok(fs::set_permissions(file, Permissions::from_mode(0o755))?)
}

fn found(program: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").context("there is a PATH")?;
    let mut files = std::env::split_paths(&path).map(|folder| folder.join(program));
    files.find(|file| file.is_file()).with_context(|| format!("there is no {program}"))
}

/// Runs `script` with `flags`, each with the code that it is to end with.
#[track_caller]
fn check(script: &str, codes: [(&[&str], i32); 2]) -> Result<()> {
    check_on(bare_machine()?.path(), script, codes)
}

#[track_caller]
fn check_on(machine: &Path, script: &str, codes: [(&[&str], i32); 2]) -> Result<()> {
    for (flags, code) in codes {
        let (ended, said) = run(machine, script, flags)?;
        assert_eq!(ended, Some(code), "{script} {flags:?}: {said}");
        assert!(said.contains("not measured"), "{script} {flags:?}: {said}");
    }
    Ok(())
}

/// The code that `script` ends with on `machine`, and what it says.
fn run(machine: &Path, script: &str, flags: &[&str]) -> Result<(Option<i32>, String)> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("it is in scripts")?;
    let mut bash = Command::new(found("bash")?);
    bash.arg(root.join("scripts").join(script)).args(flags);
    bash.env("PATH", machine).env("CARGO_TARGET_DIR", machine);
    let output = bash.output()?;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Ok((output.status.code(), said))
}

/// `script` refuses `word`, which it does not know, and says what it takes.
#[track_caller]
fn refuses(script: &str, word: &str) -> Result<()> {
    let (ended, said) = run(bare_machine()?.path(), script, &[word])?;
    assert_eq!(ended, Some(2), "{script} {word}: {said}");
    assert!(said.contains(word) && said.contains("it takes"), "{script} {word}: {said}");
    Ok(())
}

const FAILS_UNLESS_OPTIONAL: [(&[&str], i32); 2] = [(&[], 1), (&["--optional"], 0)];
const FAILS_IF_STRICT: [(&[&str], i32); 2] = [(&[], 0), (&["--strict"], 1)];

#[test]
fn a_page_that_no_browser_opened_is_an_error_unless_it_is_optional() -> Result<()> {
    check("check-page.sh", FAILS_UNLESS_OPTIONAL)
}

#[test]
fn a_planted_regression_that_was_not_compared_is_an_error_unless_it_is_optional() -> Result<()> {
    check("check-compare.sh", FAILS_UNLESS_OPTIONAL)
}

#[test]
fn a_peer_that_was_not_loaded_is_an_error_unless_it_is_optional() -> Result<()> {
    check("check-peers.sh", FAILS_UNLESS_OPTIONAL)
}

#[test]
fn a_sandbox_that_was_not_tried_is_an_error_if_checks_are_strict() -> Result<()> {
    check("check-deploy.sh", FAILS_IF_STRICT)
}

#[test]
fn a_check_of_the_deployment_whose_tests_did_not_run_is_an_error() -> Result<()> {
    let machine = bare_machine()?;
    plant(machine.path(), "")?;
    let (ended, said) = run(machine.path(), "check-deploy.sh", &[])?;
    assert!(ended == Some(1) && said.contains("no test in deploy:: ran"), "{ended:?}: {said}");
    Ok(())
}

#[test]
fn a_word_that_check_deploy_does_not_know_is_refused() -> Result<()> {
    refuses("check-deploy.sh", "--sctrict")
}

#[test]
fn dependencies_that_were_not_looked_up_are_an_error_if_checks_are_strict() -> Result<()> {
    check("check-deny.sh", FAILS_IF_STRICT)
}

#[test]
fn lockfiles_that_git_does_not_list_are_an_error_if_checks_are_strict() -> Result<()> {
    let machine = bare_machine()?;
    symlink(found("true")?, machine.path().join("cargo-deny"))?;
    check_on(machine.path(), "check-deny.sh", FAILS_IF_STRICT)?;
    // A git that fails, and one that lists nothing, say as little.
    symlink(found("true")?, machine.path().join("git"))?;
    check_on(machine.path(), "check-deny.sh", FAILS_IF_STRICT)
}

#[test]
fn a_word_that_check_deny_does_not_know_is_refused() -> Result<()> {
    refuses("check-deny.sh", "--sctrict")
}

#[test]
fn cases_that_autobahn_did_not_run_are_an_error_unless_that_is_optional() -> Result<()> {
    check("check-autobahn.sh", FAILS_UNLESS_OPTIONAL)
}

#[test]
fn a_word_that_check_autobahn_does_not_know_is_refused() -> Result<()> {
    refuses("check-autobahn.sh", "--updat")
}

/// A machine whose suite ran the cases of `result`, and whose grep, which judges them, is `judge`.
fn autobahn(result: &str, judge: &str) -> Result<tempfile::TempDir> {
    let machine = bare_machine()?;
    let [suite, release] = ["autobahn/python/bin", "release"].map(|path| machine.path().join(path));
    for folder in [&suite, &release] {
        fs::create_dir_all(folder)?;
    }
    program(&machine.path().join("pypy2"), "exit 0")?;
    program(&release.join("ws-server"), "echo listening on http://127.0.0.1:1; read -r")?;
    program(&suite.join("python"), &format!("echo '{result}'"))?;
    program(&machine.path().join("grep"), judge)?;
    symlink(found("diff")?, machine.path().join("diff"))?;
    // What was installed later than the list of packages is not installed again.
    fs::write(machine.path().join("autobahn/installed"), "")?;
    Ok(machine)
}

#[test]
fn a_case_that_autobahn_failed_or_did_not_judge_is_an_error() -> Result<()> {
    let grep = format!("exec {} \"$@\"", found("grep")?.display());
    let fails_to_judge = format!("[ \"$1\" != -vE ] || exit 2; {grep}");
    for (case, judge, words) in [
        ("OK", &grep, "cases end otherwise than recorded"),
        ("FAILED", &grep, "a case failed"),
        ("OK", &fails_to_judge, "no case was judged"),
    ] {
        let machine = autobahn(&format!(r#"  "1.1.1": ["{case}", "OK"]"#), judge)?;
        let (ended, said) = run(machine.path(), "check-autobahn.sh", &[])?;
        assert!(ended == Some(3) && said.contains(words), "{case}: {ended:?}: {said}");
    }
    Ok(())
}

#[test]
fn a_fuzz_target_that_ended_without_a_count_of_inputs_is_an_error() -> Result<()> {
    let machine = bare_machine()?;
    symlink(found("true")?, machine.path().join("cargo-fuzz"))?;
    for name in ["ls", "tail"] {
        symlink(found(name)?, machine.path().join(name))?;
    }
    for (line, code, words) in [
        ("Done 12 runs in 60 second(s)", 0, "session: 12 inputs in 60 s, no finding"),
        ("INFO: seed corpus: files: 35", 1, "session ended early"),
        ("Done 0 runs in 0 second(s)", 1, "session ended early"),
    ] {
        plant(machine.path(), &format!("[ \"$2\" != run ] || echo '{line}'"))?;
        let (ended, said) = run(machine.path(), "fuzz.sh", &["session", "--minutes", "1"])?;
        assert!(ended == Some(code) && said.contains(words), "{line}: {ended:?}: {said}");
    }
    // The machine's own CARGO_TARGET_DIR is taken.
    assert!(machine.path().join("fuzz/session.log").is_file());
    Ok(())
}

#[test]
fn a_fuzz_target_that_failed_is_a_finding_only_with_an_input_of_this_run() -> Result<()> {
    let machine = bare_machine()?;
    symlink(found("true")?, machine.path().join("cargo-fuzz"))?;
    for name in ["find", "grep", "ls", "tail", "touch"] {
        symlink(found(name)?, machine.path().join(name))?;
    }
    let finds =
        r#"[ "$2" != run ] || { echo panicked; last=${!#}; touch "${last#*=}1234"; exit 1; }"#;
    // The first run leaves an input that must not be taken for one of the second.
    for (cargo, code, words) in [
        (finds, 3, "session-1234 to benches/fuzz/corpus/session"),
        ("[ \"$2\" != run ] || exit 1", 1, "session failed, and found no input"),
    ] {
        plant(machine.path(), cargo)?;
        let (ended, said) = run(machine.path(), "fuzz.sh", &["session", "--minutes", "1"])?;
        assert!(ended == Some(code) && said.contains(words), "{cargo}: {ended:?}: {said}");
    }
    Ok(())
}
