//! The picture of the README: what a terminal shows of the suite of a pull request that copies every message.

use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};
use bench_show::picture;

use crate::repository::{Repository, workspace};

/// What is typed, and the flags of cargo that print nothing in between.
const TYPED: [&str; 6] = ["test", "--release", "--test", "alloc", "--", "suite"];

/// Compares the picture with `alloc-tests/planted.svg`, or writes it there with `UPDATE=1` in the environment.
pub(crate) fn check(repository: &Repository) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.arg("--quiet").args(TYPED).current_dir(repository.root()).env("CLICOLOR_FORCE", "1");
    let output = cargo.output()?;
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = String::from_utf8(output.stdout)?;
    let picture = picture::svg(&format!("cargo {}", TYPED.join(" ")), &shown);
    let file = workspace().join("alloc-tests/planted.svg");
    if std::env::var_os("UPDATE").is_some() {
        return Ok(fs::write(file, picture)?);
    }
    let known = fs::read_to_string(&file).unwrap_or_default();
    ensure!(
        known == picture,
        "{} shows something else; run this with UPDATE=1:\n{shown}",
        file.display()
    );
    Ok(())
}
