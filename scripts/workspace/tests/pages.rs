//! Pages name tests that exist, and figures that the sources have.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

const SECURITY: &str = "SECURITY.md";

fn root() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).context("it is in scripts")
}

/// All Rust files below `folder`, one behind the other.
fn sources(folder: &str) -> Result<String> {
    let pattern = format!("{folder}*.rs");
    let files = Command::new("git").args(["ls-files", &pattern]).current_dir(root()?).output()?;
    ensure!(files.status.success(), "git lists no source files; run this in a clone");
    let mut sources = String::new();
    for file in String::from_utf8(files.stdout)?.lines() {
        sources += &fs::read_to_string(root()?.join(file))?;
    }
    Ok(sources)
}

/// The cells of the rows of the tables on `page` whose heads end with `head`.
fn rows(page: &str, head: &str) -> Result<Vec<Vec<String>>> {
    let text = fs::read_to_string(root()?.join(page))?;
    let mut rows = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        inside = line.starts_with('|') && (inside || line.ends_with(head));
        if inside && !line.ends_with(head) && !line.starts_with("| ---") {
            rows.push(line.split('|').map(|cell| cell.trim().to_owned()).collect());
        }
    }
    Ok(rows)
}

/// The words in backticks.
fn names(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_link_to_a_file_leads_to_one() -> Result<()> {
    let pages = Command::new("git").args(["ls-files", "*.md"]).current_dir(root()?).output()?;
    let (mut links, mut dead) = (0, Vec::new());
    for page in String::from_utf8(pages.stdout)?.lines() {
        let folder = root()?.join(page);
        let folder = folder.parent().context("a page is in a folder")?;
        let text = fs::read_to_string(root()?.join(page))?;
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            let is_file = !file.is_empty() && !file.contains("://") && !file.contains(' ');
            links += usize::from(is_file);
            if is_file && !folder.join(file).exists() {
                dead.push(format!("{page}: {target}"));
            }
        }
    }
    ensure!(links > 25 && dead.is_empty(), "{links} links, of which these lead nowhere: {dead:#?}");
    Ok(())
}

#[track_caller]
fn check_tests(page: &str, at_least: usize) -> Result<()> {
    let sources = sources("")?;
    let rows = rows(page, "| held by |")?;
    ensure!(rows.len() >= at_least, "{page} has {} rows", rows.len());
    for row in rows {
        let tests = row.iter().rev().find(|cell| !cell.is_empty()).map_or("", String::as_str);
        ensure!(!names(tests).is_empty(), "{page}: no test in {}", row.join("|"));
        for name in names(tests) {
            ensure!(!name.is_empty(), "{page}: an empty name in {tests}");
            // The tests of a runner are listed by their names, and a scenario is a file.
            let is_there =
                [format!("fn {name}("), format!("\"gate::{name}\""), format!("\"{name}\"")];
            let is_there = is_there.iter().any(|form| sources.contains(form.as_str()));
            let scenario =
                root()?.join("alloc-tests/tests/scenarios").join(name).with_extension("rs");
            ensure!(is_there || scenario.is_file(), "{page}: there is no test {name}");
        }
    }
    Ok(())
}

#[test]
fn every_way_to_fool_a_verdict_names_a_test_that_holds_it() -> Result<()> {
    check_tests("benches/VERDICTS.md", 51)
}

#[test]
fn every_promise_about_security_names_a_test_that_holds_it() -> Result<()> {
    check_tests(SECURITY, 20)
}

/// A Rust expression as the page writes it: `Duration::from_secs(5)` as 5 s, `16 * KIB` as 16 KiB, `10_000` as 10 000.
fn written(expression: &str) -> String {
    let argument = |name: &str| expression.strip_prefix(name)?.strip_suffix(')');
    if let Some(seconds) = argument("Duration::from_secs(") {
        return format!("{seconds} s");
    }
    if let Some(milliseconds) = argument("Duration::from_millis(") {
        return format!("{milliseconds} ms");
    }
    let kibibytes = expression.strip_suffix(" * KIB");
    let kibibytes = kibibytes.or_else(|| expression.strip_suffix(" * 1024"));
    kibibytes.map_or_else(|| expression.replace('_', " "), |count| format!("{count} KiB"))
}

#[test]
fn the_figures_about_security_are_those_of_the_server() -> Result<()> {
    let sources = sources("server/src/")?;
    let mut compared = 0;
    for row in rows(SECURITY, "| figure | set by | beyond it | held by |")? {
        let [_, what, figure, set_by, ..] = row.as_slice() else { continue };
        for name in names(set_by) {
            let constant = sources.split(&format!("const {name}: ")).nth(1);
            let constant = constant.and_then(|rest| rest.split(" = ").nth(1)?.split(';').next());
            // A default of the settings.
            let field =
                || sources.split(&format!("            {name}: ")).nth(1)?.split(",\n").next();
            let value = constant.or_else(field);
            let value = written(value.with_context(|| format!("{SECURITY}: there is no {name}"))?);
            let one = |one: &str| one.trim().trim_start_matches("at least ") == value;
            let found = figure.split([',', '+', ';']).any(one);
            ensure!(found, "{SECURITY}: {what}: {figure}, but {name} is {value}");
            compared += 1;
        }
    }
    ensure!(compared > 10, "{SECURITY}: only {compared} figures were compared");
    Ok(())
}
