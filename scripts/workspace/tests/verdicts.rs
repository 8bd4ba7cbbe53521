//! The page on wrong verdicts names tests that exist.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

const PAGE: &str = "benches/VERDICTS.md";

#[test]
fn every_way_to_fool_a_verdict_names_a_test_that_holds_it() -> Result<()> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("it is in scripts")?;
    let files = Command::new("git").args(["ls-files", "*.rs"]).current_dir(root).output()?;
    ensure!(files.status.success(), "git lists no source files; run this in a clone");
    let mut sources = String::new();
    for file in String::from_utf8(files.stdout)?.lines() {
        sources += &fs::read_to_string(root.join(file))?;
    }
    let page = fs::read_to_string(root.join(PAGE))?;
    let rows = page.lines().filter(|line| line.starts_with('|'));
    let rows: Vec<&str> =
        rows.filter(|row| !row.contains("held by") && !row.contains("---")).collect();
    ensure!(rows.len() > 50, "{PAGE} has {} rows", rows.len());
    for row in rows {
        let tests = row.split('|').nth(3).unwrap_or_default();
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        ensure!(!names.is_empty(), "{PAGE}: no test in {row}");
        for name in names {
            // The tests of a runner are listed by their names, and a scenario is a file.
            let is_there =
                [format!("fn {name}("), format!("\"gate::{name}\""), format!("\"{name}\"")];
            let is_there = is_there.iter().any(|form| sources.contains(form.as_str()));
            let scenario = root.join("alloc-tests/tests/scenarios").join(name).with_extension("rs");
            ensure!(is_there || scenario.is_file(), "{PAGE}: there is no test {name}");
        }
    }
    Ok(())
}
