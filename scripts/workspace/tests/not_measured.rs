//! What the scripts end with where nothing can be measured.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// A folder of programs without node, a browser, python, go, git and systemd, in which every build by cargo succeeds.
fn bare_machine() -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    symlink(found("true")?, folder.path().join("cargo"))?;
    for name in ["dirname", "realpath", "mkdir", "mktemp", "cp", "rm", "sed"] {
        symlink(found(name)?, folder.path().join(name))?;
    }
    Ok(folder)
}

fn found(program: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").context("there is a PATH")?;
    let mut files = std::env::split_paths(&path).map(|folder| folder.join(program));
    files.find(|file| file.is_file()).with_context(|| format!("there is no {program}"))
}

/// Runs `script` with `flags`, each with the code that it is to end with.
#[track_caller]
fn check(script: &str, codes: [(&[&str], i32); 2]) -> Result<()> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("it is in scripts")?;
    let machine = bare_machine()?;
    for (flags, code) in codes {
        let mut bash = Command::new(found("bash")?);
        bash.arg(root.join("scripts").join(script)).args(flags);
        bash.env("PATH", machine.path()).env("CARGO_TARGET_DIR", machine.path());
        let output = bash.output()?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(code), "{script} {flags:?}: {said}");
        assert!(said.contains("not measured"), "{script} {flags:?}: {said}");
    }
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
fn dependencies_that_were_not_looked_up_are_an_error_if_checks_are_strict() -> Result<()> {
    check("check-deny.sh", FAILS_IF_STRICT)
}

#[test]
fn cases_that_autobahn_did_not_run_are_an_error_unless_that_is_optional() -> Result<()> {
    check("check-autobahn.sh", FAILS_UNLESS_OPTIONAL)
}
