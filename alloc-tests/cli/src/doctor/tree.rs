//! What the repository has: commits, the lockfile, debug info.

use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::semver::Version;
use toml_edit::{DocumentMut, Item};

use super::finding::Finding;
use crate::place;

pub(super) fn findings(root: &Path) -> Result<Vec<Finding>> {
    let mut findings = vec![
        Finding::ok("cargo workspace", root.display().to_string()),
        repository(root)?,
        lockfile(root)?,
    ];
    findings.extend(libraries(root)?);
    findings.push(debug_info(root)?);
    findings.extend(workflow(root)?);
    Ok(findings)
}

fn repository(root: &Path) -> Result<Finding> {
    const SUBJECT: &str = "git repository";
    if place::git(root, &["rev-parse", "--git-dir"])?.is_none() {
        let cure = "git init && git add . && git commit";
        return Ok(Finding::missing(SUBJECT, "there is none: no numbers to review, no base", cure));
    }
    let Some(head) = place::git(root, &["rev-parse", "--short", "--verify", "--quiet", "HEAD"])?
    else {
        return Ok(Finding::missing(
            SUBJECT,
            "it has no commit, so that compare has no base",
            "git add . && git commit",
        ));
    };
    let status =
        place::git(root, &["status", "--porcelain"])?.context("git status failed; type it")?;
    let state = match status.lines().count() {
        0 => "clean".to_owned(),
        1 => "1 changed file, which compare measures as head".to_owned(),
        files => format!("{files} changed files, which compare measures as head"),
    };
    Ok(Finding::ok(SUBJECT, format!("at {head}, {state}")))
}

fn lockfile(root: &Path) -> Result<Finding> {
    const SUBJECT: &str = "Cargo.lock";
    if !root.join("Cargo.lock").is_file() {
        let cure = "cargo generate-lockfile && git add Cargo.lock";
        return Ok(Finding::missing(SUBJECT, "there is none", cure));
    }
    if place::git(root, &["ls-files", "--error-unmatch", "Cargo.lock"])?.is_some() {
        return Ok(Finding::ok(SUBJECT, "committed"));
    }
    let ignored = place::git(root, &["check-ignore", "Cargo.lock"])?.is_some();
    let cure = if ignored {
        "take it out of .gitignore, then git add Cargo.lock"
    } else {
        "git add Cargo.lock && git commit"
    };
    let words = "not committed: another version of a dependency costs something else";
    Ok(Finding::missing(SUBJECT, words, cure))
}

/// The versions of the library in the lockfile, and of this command.
fn libraries(root: &Path) -> Result<Option<Finding>> {
    const SUBJECT: &str = "plimsoll";
    let Ok(text) = std::fs::read_to_string(root.join("Cargo.lock")) else { return Ok(None) };
    let lockfile: DocumentMut =
        text.parse().context("Cargo.lock is no TOML; restore it with git")?;
    let packages = lockfile.get("package").and_then(Item::as_array_of_tables).into_iter().flatten();
    let is_library =
        |one: &&toml_edit::Table| one.get("name").and_then(Item::as_str) == Some("plimsoll");
    let versions = packages.filter(is_library).filter_map(|one| one.get("version")?.as_str());
    let versions: Vec<&str> = versions.collect();
    let own = env!("CARGO_PKG_VERSION");
    Ok(Some(match &versions[..] {
        [] => Finding::missing(SUBJECT, "not in Cargo.lock", "cargo plimsoll init"),
        [version] if *version == own => Finding::ok(SUBJECT, format!("{own}, as this command")),
        [version] => {
            let cure = match (Version::parse(version), Version::parse(own)) {
                (Ok(library), Ok(command)) if library < command => "cargo update plimsoll",
                _ => "cargo install cargo-plimsoll",
            };
            Finding::optional(
                SUBJECT,
                format!(
                    "{version} in Cargo.lock, and this command is {own}: each reads the other's files"
                ),
                cure,
            )
        }
        several => Finding::missing(
            SUBJECT,
            format!(
                "Cargo.lock has {}: each counts with an allocator of its own",
                several.join(" and ")
            ),
            "cargo tree --invert plimsoll shows who depends on each; make them one",
        ),
    }))
}

fn debug_info(root: &Path) -> Result<Finding> {
    const SUBJECT: &str = "debug info";
    let text =
        std::fs::read_to_string(root.join("Cargo.toml")).context("the root has no manifest")?;
    let manifest: DocumentMut = text.parse().context("Cargo.toml is no TOML")?;
    let release = |key: &str| {
        let value = manifest.get("profile")?.get("release")?.get(key)?;
        Some(value.to_string().trim().trim_matches('"').to_owned())
    };
    let cure = "in Cargo.toml, [profile.release]: debug = \"limited\"";
    let lost = "call sites have no files and lines";
    if let Some(strip) =
        release("strip").filter(|strip| !["false", "none"].contains(&strip.as_str()))
    {
        let cure = format!("{cure}, and no strip");
        return Ok(Finding::missing(SUBJECT, format!("strip = {strip} removes it: {lost}"), cure));
    }
    Ok(match release("debug").as_deref() {
        None => Finding::missing(SUBJECT, format!("none in release builds: {lost}"), cure),
        Some(value @ ("false" | "0" | "none")) => {
            Finding::missing(SUBJECT, format!("debug = {value}: {lost}"), cure)
        }
        Some(value @ ("line-tables-only" | "line-directives-only")) => Finding::optional(
            SUBJECT,
            format!("debug = {value}: inlined functions have only their last name"),
            cure,
        ),
        Some(value) => Finding::ok(SUBJECT, format!("debug = {value}")),
    })
}

/// A workflow that names plimsoll, and still the name to replace or not.
fn workflow(root: &Path) -> Result<Option<Finding>> {
    const SUBJECT: &str = "workflow";
    let Some(top) = place::git(root, &["rev-parse", "--show-toplevel"])? else { return Ok(None) };
    let folder = Path::new(&top).join(".github/workflows");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let texts = entries.filter_map(|entry| {
        let text = std::fs::read_to_string(entry.path()).ok()?;
        Some((entry.file_name().to_string_lossy().into_owned(), text))
    });
    let found = texts.into_iter().find(|(_, text)| text.contains("plimsoll"));
    Ok(Some(match found {
        None => {
            let words = "none in .github/workflows names plimsoll: pull requests are not measured";
            Finding::optional(SUBJECT, words, "cargo plimsoll init")
        }
        Some((name, text)) if text.contains(crate::init::UNKNOWN) => Finding::optional(
            SUBJECT,
            format!("{name} uses {}", crate::init::UNKNOWN),
            "write the repository of the action there",
        ),
        Some((name, _)) => Finding::ok(SUBJECT, name),
    }))
}
