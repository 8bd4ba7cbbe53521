//! What each service has: the suite, its allocator, its numbers.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use baselines::AllocBaseline;
use cargo_metadata::{Metadata, Package, TargetKind};
use compare::subject::Service;
use toml_edit::{DocumentMut, Item, Table};

use super::finding::Finding;
use super::sources;
use crate::place;

pub(super) fn findings(
    workspace: &Metadata,
    service: &Service,
    target: &str,
) -> Result<Vec<Finding>> {
    let name = &service.name;
    let package = place::member(workspace, &service.test_package)?;
    let mut findings = vec![suite(name, service, package)?];
    let file = package.targets.iter().find(|one| one.is_test() && one.name == service.test);
    if let Some(file) = file {
        findings.push(suite_allocator(name, file.src_path.as_std_path())?);
    }
    findings.extend(library_allocator(name, place::member(workspace, &service.package)?)?);
    findings.push(numbers(service, target));
    Ok(findings)
}

fn suite(name: &str, service: &Service, package: &Package) -> Result<Finding> {
    let subject = format!("{name}: suite");
    let Service { test, .. } = service;
    let path = package.manifest_path.as_std_path();
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let manifest: DocumentMut =
        text.parse().with_context(|| format!("{} is no TOML", path.display()))?;
    let tests = manifest.get("test").and_then(Item::as_array_of_tables).into_iter().flatten();
    let is_suite = |one: &&Table| one.get("name").and_then(Item::as_str) == Some(test);
    let has_harness = |one: &Table| one.get("harness").and_then(Item::as_bool) != Some(false);
    let command = format!("cargo test --release -p {} --test {test} -- suite", package.name);
    Ok(match tests.filter(is_suite).map(has_harness).next() {
        Some(false) => Finding::ok(subject, command),
        _ => Finding::missing(
            subject,
            format!(
                "[[test]] {test} of {} has no harness = false: cargo would give it a main",
                package.name
            ),
            format!("in {}: [[test]] name = \"{test}\", harness = false", path.display()),
        ),
    })
}

fn suite_allocator(name: &str, file: &Path) -> Result<Finding> {
    let subject = format!("{name}: allocator");
    let words = sources::words(file)?;
    let has = |wanted: &[&str]| words.windows(wanted.len()).any(|found| found == wanted);
    Ok(if has(&["allocator", "!"]) || has(&["global_allocator"]) {
        Finding::ok(subject, "the suite has its own")
    } else {
        let cure = format!("write plimsoll::allocator!(); in {}", file.display());
        Finding::missing(subject, "the suite has none, and is blind", cure)
    })
}

/// A second allocator, which the suite's program gets with the library.
fn library_allocator(name: &str, package: &Package) -> Result<Option<Finding>> {
    let libraries = package.targets.iter().filter(|one| one.kind.contains(&TargetKind::Lib));
    let programs: Vec<&Path> = package
        .targets
        .iter()
        .filter(|one| one.kind.contains(&TargetKind::Bin))
        .map(|one| one.src_path.as_std_path())
        .collect();
    for library in libraries {
        let folder = library.src_path.parent().context("a source is in a folder")?;
        for file in sources::below(folder.as_std_path())? {
            let is_program = programs.contains(&file.as_path())
                || file.starts_with(folder.join("bin").as_std_path());
            if !is_program && sources::words(&file)?.iter().any(|word| word == "global_allocator") {
                return Ok(Some(Finding::missing(
                    format!("{name}: library"),
                    format!("{} has a #[global_allocator], and a program has one", file.display()),
                    "move it to src/main.rs: the program keeps it, and the suite counts with its own",
                )));
            }
        }
    }
    Ok(None)
}

fn numbers(service: &Service, target: &str) -> Finding {
    let Service { name, test_package, test, baselines, .. } = service;
    let subject = format!("{name}: numbers");
    let measure = format!("cargo test --release -p {test_package} --test {test}");
    let cure = format!("{measure}; then cargo plimsoll review");
    match AllocBaseline::load(&baselines::alloc::path(baselines, target)) {
        Ok(known) => {
            let scenarios = known.scenarios.len();
            let rustc = known.provenance.rustc;
            Finding::ok(subject, format!("{scenarios} scenarios for {target}, by rustc {rustc}"))
        }
        Err(baselines::Error::Missing { .. }) => {
            let words = match others(&baselines.join("alloc")) {
                none if none.is_empty() => format!("none are recorded for {target}"),
                others => format!("recorded for {}, and not for {target}", others.join(", ")),
            };
            Finding::missing(subject, words, cure)
        }
        Err(error) => {
            Finding::missing(subject, error.to_string(), format!("restore it with git, or {cure}"))
        }
    }
}

/// Targets with a file in `folder`.
fn others(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut others: Vec<String> =
        names.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned())).collect();
    others.sort();
    others
}

/// The target that cargo builds for in `folder`.
pub(super) fn target(folder: &Path) -> Result<String> {
    if let Some(target) = std::env::var("CARGO_BUILD_TARGET").ok().filter(|one| !one.is_empty()) {
        return Ok(target);
    }
    let output = Command::new("rustc").arg("-vV").current_dir(folder).output();
    let output = output.context("cannot run rustc; install it from https://rustup.rs")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc -vV names no host; is rustc a wrapper?")
}
