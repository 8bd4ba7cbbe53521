//! The entries of manifests. Comments, order and everything else stay as they are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::plan::Plan;
use super::service::Service;
use crate::error::Usage;

/// Where the library comes from.
pub(super) enum Source {
    Version(&'static str),
    Path(PathBuf),
}

impl Source {
    /// The library in a checkout of this tree, or in its own folder.
    pub(super) fn checkout(folder: &Path) -> Result<Self> {
        let inside = [folder.join("alloc-tests/harness"), folder.to_owned()];
        let is_it = |folder: &&PathBuf| {
            let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
            manifest.lines().any(|line| line == "name = \"plimsoll\"")
        };
        let found = inside.iter().find(is_it).with_context(|| {
            Usage(format!(
                "--plimsoll-path {} is no checkout of plimsoll: it has no alloc-tests/harness",
                folder.display()
            ))
        })?;
        let folder =
            found.canonicalize().with_context(|| format!("cannot read {}", found.display()))?;
        Ok(Self::Path(folder))
    }
}

/// A development dependency that a suite needs: its name, the features, and the version if the library does not say it.
pub(super) struct Needed {
    pub(super) name: &'static str,
    pub(super) features: &'static [&'static str],
    pub(super) otherwise: &'static str,
}

/// Adds the suite's dependencies and its test target to the manifest at `path`.
pub(super) fn add_suite(
    plan: &mut Plan,
    path: &Path,
    service: &Service<'_>,
    source: &Source,
    features: &[&str],
    others: &[Needed],
) -> Result<()> {
    let mut manifest = read(plan, path)?;
    if service.development_dependency("plimsoll").is_none() {
        let mut entry = InlineTable::new();
        match source {
            Source::Version(version) => entry.insert("version", (*version).into()),
            Source::Path(folder) => entry.insert("path", folder.display().to_string().into()),
        };
        add_features(&mut entry, features);
        let entry = match source {
            Source::Version(version) if features.is_empty() => value(*version),
            _ => value(entry),
        };
        table(&mut manifest, "dev-dependencies")?.insert("plimsoll", entry);
    } else {
        let name = plan.name(path);
        plan.left(&format!("plimsoll in [dev-dependencies] of {name}"));
    }
    for needed in others {
        add_needed(&mut manifest, service, needed)?;
    }
    add_target(plan, path, &mut manifest)?;
    plan.set(path, manifest.to_string())
}

fn add_target(plan: &mut Plan, path: &Path, manifest: &mut DocumentMut) -> Result<()> {
    let tests = manifest.entry("test").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let tests = tests.as_array_of_tables_mut();
    let tests = tests.with_context(|| format!("test in {} is no [[test]]", path.display()))?;
    let is_suite = |table: &&Table| table.get("name").and_then(Item::as_str) == Some("alloc");
    let has_harness = |table: &Table| table.get("harness").and_then(Item::as_bool) != Some(false);
    let found = tests.iter().find(is_suite).map(has_harness);
    match found {
        None => {
            let mut suite = Table::new();
            suite.insert("name", value("alloc"));
            suite.insert("harness", value(false));
            tests.push(suite);
        }
        Some(false) => plan.left(&format!("[[test]] alloc in {}", plan.name(path))),
        Some(true) => bail!(Usage(format!(
            "[[test]] alloc in {} has no harness = false; write it there, or rename that test",
            plan.name(path)
        ))),
    }
    Ok(())
}

/// Adds call sites' files and lines to the release build of the workspace at `root`.
pub(super) fn add_debug_info(plan: &mut Plan, root: &Path) -> Result<()> {
    let path = root.join("Cargo.toml");
    let mut manifest = read(plan, &path)?;
    if manifest.get("profile").is_none() {
        let mut profile = Table::new();
        profile.set_implicit(true);
        manifest.insert("profile", Item::Table(profile));
    }
    let profile = table(&mut manifest, "profile")?;
    let release = profile.entry("release").or_insert(Item::Table(Table::new()));
    let release = release.as_table_like_mut().context("profile.release is no table")?;
    if let Some(old) = release.get("debug") {
        let line = format!(
            "debug = {} in [profile.release] of {}",
            old.to_string().trim(),
            plan.name(&path)
        );
        plan.left(&line);
        return Ok(());
    }
    release.insert("debug", value("limited"));
    let mut reason = release.key_mut("debug").context("it was inserted")?;
    reason
        .leaf_decor_mut()
        .set_prefix("# A call site is a function, a file and a line. The program runs as fast.\n");
    plan.set(&path, manifest.to_string())
}

fn read(plan: &Plan, path: &Path) -> Result<DocumentMut> {
    let text = plan.text(path)?.with_context(|| format!("there is no {}", path.display()))?;
    text.parse().with_context(|| format!("{} is no TOML", path.display()))
}

fn table<'a>(manifest: &'a mut DocumentMut, name: &str) -> Result<&'a mut Table> {
    let item = manifest.entry(name).or_insert(Item::Table(Table::new()));
    item.as_table_mut()
        .with_context(|| format!("[{name}] is no table of its own; write it as [{name}]"))
}

/// A dependency that the test uses beside the library: with the version of the library's, or none if that has all of it.
fn add_needed(manifest: &mut DocumentMut, service: &Service<'_>, needed: &Needed) -> Result<()> {
    let Needed { name, features, otherwise } = needed;
    let has = |one: Option<&cargo_metadata::Dependency>| {
        one.is_some_and(|one| {
            let has = |feature: &str| {
                one.features.iter().any(|other| other == feature || other == "full")
            };
            features.iter().all(|feature| has(feature))
        })
    };
    if has(service.dependency(name)) || has(service.development_dependency(name)) {
        return Ok(());
    }
    let dependencies = table(manifest, "dev-dependencies")?;
    if let Some(Value::InlineTable(entry)) = dependencies.get_mut(name).and_then(Item::as_value_mut)
    {
        add_features(entry, features);
        return Ok(());
    }
    let version = service.dependency(name).map(|one| one.req.to_string());
    let version = version.filter(|version| version != "*");
    let version = version.as_deref().map_or(*otherwise, |version| version.trim_start_matches('^'));
    let mut entry = InlineTable::new();
    entry.insert("version", version.into());
    add_features(&mut entry, features);
    dependencies.insert(name, value(entry));
    Ok(())
}

fn add_features(entry: &mut InlineTable, features: &[&str]) {
    if features.is_empty() {
        return;
    }
    let all = entry.entry("features").or_insert(Value::Array(Array::new()));
    let Some(all) = all.as_array_mut() else { return };
    for feature in features {
        if !all.iter().any(|one| one.as_str() == Some(feature)) {
            all.push(*feature);
        }
    }
}
