//! The workspace itself: arrows between crates, versions of dependencies, and lengths of files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Longest source file, in lines, tests included.
const LONGEST_FILE: usize = 300;

/// Longest [`ARCHITECTURE`], in lines.
const LONGEST_MAP: usize = 120;

const ARCHITECTURE: &str = "ARCHITECTURE.md";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("it lies in scripts").to_owned()
}

/// What `program` prints on stdout and stderr in `folder`; an error if it fails.
fn output(folder: &Path, program: &str, args: &[&str]) -> Result<(String, String)> {
    let output = Command::new(program).args(args).current_dir(folder).output()?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{program} {} failed:\n{stderr}", args.join(" "));
    Ok((String::from_utf8(output.stdout)?, stderr))
}

fn metadata() -> Result<Value> {
    let args = ["metadata", "--no-deps", "--locked", "--format-version=1"];
    let (json, _) = output(&root(), env!("CARGO"), &args)?;
    Ok(serde_json::from_str(&json)?)
}

/// The members of the workspace, each with the members that it depends on in any way.
fn arrows() -> Result<BTreeMap<String, BTreeSet<String>>> {
    let metadata = metadata()?;
    let packages = metadata["packages"].as_array().context("cargo lists packages")?;
    let name = |of: &Value| of["name"].as_str().unwrap_or_default().to_owned();
    let members: BTreeSet<String> = packages.iter().map(name).collect();
    let of = |package: &Value| {
        let dependencies = package["dependencies"].as_array().into_iter().flatten().map(name);
        // A package may name itself, to test with a feature of its own.
        let others = dependencies.filter(|dependency| *dependency != name(package));
        others.filter(|dependency| members.contains(dependency)).collect()
    };
    Ok(packages.iter().map(|package| (name(package), of(package))).collect())
}

/// The lines `crate → other, other` of the map; a dash stands for none.
fn drawn(map: &str) -> BTreeMap<String, BTreeSet<String>> {
    let line = |line: &str| {
        let (from, to) = line.split_once('→')?;
        let to = to.split(',').map(str::trim).filter(|name| !["-", ""].contains(name));
        Some((from.trim().to_owned(), to.map(str::to_owned).collect()))
    };
    let block = map.split("```arrows").nth(1).and_then(|rest| rest.split("```").next());
    block.unwrap_or_default().lines().filter_map(line).collect()
}

#[test]
fn crates_depend_on_each_other_as_the_architecture_draws_it() -> Result<()> {
    let map = fs::read_to_string(root().join(ARCHITECTURE))?;
    let (drawn, found) = (drawn(&map), arrows()?);
    ensure!(!drawn.is_empty(), "{ARCHITECTURE} has no block ```arrows");
    assert_eq!(
        found, drawn,
        "left: Cargo.toml files, right: the arrows of {ARCHITECTURE}; draw or remove the difference"
    );
    Ok(())
}

/// The names and requirements in `[workspace.dependencies]` that come from the registry.
fn registry_dependencies() -> Result<Vec<(String, String)>> {
    let manifest = fs::read_to_string(root().join("Cargo.toml"))?;
    let section = manifest.split("[workspace.dependencies]\n").nth(1).context("there is one")?;
    let lines = section.lines().take_while(|line| !line.starts_with('['));
    let entries = lines.filter_map(|line| line.split_once(" = "));
    let entries =
        entries.filter(|(name, value)| !name.starts_with('#') && !value.contains("path = "));
    let ours: Vec<_> = entries.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    ensure!(!ours.is_empty(), "no dependency was read from [workspace.dependencies] of Cargo.toml");
    Ok(ours)
}

#[test]
fn a_dependency_that_we_name_is_locked_in_one_version() -> Result<()> {
    let args = ["tree", "--workspace", "--locked", "--duplicates", "--depth", "0"];
    let (tree, _) = output(&root(), env!("CARGO"), &args)?;
    let names = |line: &str| line.split(' ').next().map(str::to_owned);
    let several: BTreeSet<String> = tree.lines().filter_map(names).collect();
    let ours = registry_dependencies()?.into_iter().map(|(name, _)| name);
    let ours: Vec<String> = ours.filter(|name| several.contains(name)).collect();
    assert!(ours.is_empty(), "more than one version of {ours:?}; see cargo tree --duplicates");
    Ok(())
}

/// The lines of cargo on yanked packages among those that `lock` takes from the registry. Cargo looks for them only where
/// it packs, so a package that depends on each of them is packed.
fn yanked(lock: &str) -> Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("src"))?;
    fs::write(folder.path().join("src/lib.rs"), "")?;
    fs::write(folder.path().join("Cargo.lock"), lock)?;
    let mut manifest =
        "[package]\nname = \"lock\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n".to_owned();
    let packages = lock.split("[[package]]\n").skip(1);
    for (at, package) in packages.filter(|package| package.contains("\nsource = ")).enumerate() {
        let value = |key| Some(package.split_once(&format!("{key} = \""))?.1.split_once('"')?.0);
        let name = value("name").context("a package has a name")?;
        let version = value("version").context("a package has a version")?;
        // Without features, so that a dependency which no build has is not added.
        manifest += &format!(
            "p{at} = {{ package = \"{name}\", version = \"={version}\", default-features = false }}\n"
        );
    }
    ensure!(manifest.contains("p0 = "), "the lockfile names no package of the registry");
    fs::write(folder.path().join("Cargo.toml"), manifest)?;
    let args = ["package", "--no-verify", "--allow-dirty"];
    let (_, words) = output(folder.path(), env!("CARGO"), &args)?;
    Ok(words.lines().filter(|line| line.contains("yanked")).map(str::to_owned).collect())
}

#[test]
fn no_lockfile_holds_a_yanked_package() -> Result<()> {
    let (files, _) = output(&root(), "git", &["ls-files", "*Cargo.lock"])?;
    ensure!(files.lines().count() > 2, "git lists no lockfiles; run this in a clone");
    for file in files.lines() {
        let yanked = yanked(&fs::read_to_string(root().join(file))?)?;
        assert!(yanked.is_empty(), "{file}: run cargo update for these:\n{}", yanked.join("\n"));
    }
    Ok(())
}

#[test]
fn a_yanked_package_in_a_lockfile_is_found() -> Result<()> {
    let lock = "version = 4\n\n[[package]]\nname = \"bitflags\"\nversion = \"1.3.0\"\n\
        source = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    let found = yanked(lock)?;
    assert!(found.len() == 1 && found[0].contains("bitflags"), "{found:?}");
    Ok(())
}

#[test]
fn no_source_file_is_longer_than_a_person_reads() -> Result<()> {
    let (files, _) = output(&root(), "git", &["ls-files", "*.rs", "*.sh", "*.js", ARCHITECTURE])?;
    ensure!(files.lines().count() > 1, "git lists no source files; run this in a clone");
    let mut long = Vec::new();
    for file in files.lines().filter(|file| !file.contains("uplot/")) {
        let lines = fs::read_to_string(root().join(file))?.lines().count();
        let longest = if file == ARCHITECTURE { LONGEST_MAP } else { LONGEST_FILE };
        if lines > longest {
            long.push(format!("{file} has {lines} lines, not {longest}"));
        }
    }
    assert!(long.is_empty(), "split by subject:\n{}", long.join("\n"));
    Ok(())
}
