//! What cargo and the lockfile know of the package with the test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::setup::Crate;

/// The workspace of a package.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The package's name.
    pub(crate) package: String,
    /// The libraries and binaries of all members.
    pub(crate) members: Vec<Crate>,
    root: PathBuf,
}

impl Workspace {
    /// Asks cargo for the workspace of the package in `folder`.
    pub(crate) fn find(folder: &Path) -> anyhow::Result<Self> {
        let manifest = folder.join("Cargo.toml");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
            .arg("--manifest-path")
            .arg(&manifest)
            .output()
            .context("cargo does not start; run this with cargo test, or set CARGO to its path")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "cargo metadata failed: {}", errors.trim());
        let Metadata { packages, workspace_root } = serde_json::from_slice(&output.stdout)
            .context("cargo metadata prints another format than 1")?;
        let own = packages.iter().find(|package| package.manifest_path == manifest);
        let package = own.map(|package| package.name.clone()).with_context(|| {
            format!(
                "{} is no member of a workspace; give Suite::new env!(\"CARGO_MANIFEST_DIR\")",
                manifest.display()
            )
        })?;
        let members = packages.iter().flat_map(|package| package.crates(&workspace_root));
        Ok(Self { package, members: members.collect(), root: workspace_root })
    }

    /// The packages of the lockfile that the package is built of, without those of the workspace.
    pub(crate) fn packages(&self) -> anyhow::Result<BTreeMap<String, String>> {
        let path = self.root.join("Cargo.lock");
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("cannot read {}; write it with: cargo generate-lockfile", path.display())
        })?;
        let lockfile: Lockfile =
            toml::from_str(&text).with_context(|| format!("{} is no lockfile", path.display()))?;
        Ok(lockfile.below(&self.package))
    }
}

/// The nearest folder at or above `folder` that has a lockfile; `folder` if there is none.
pub(crate) fn root_above(folder: &Path) -> PathBuf {
    let root = folder.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
    root.unwrap_or(folder).to_owned()
}

/// The name of the package in `folder`.
pub(crate) fn package_in(folder: &Path) -> anyhow::Result<String> {
    let path = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).with_context(|| {
        format!("cannot read {}; give Suite::new env!(\"CARGO_MANIFEST_DIR\")", path.display())
    })?;
    let Manifest { package } =
        toml::from_str(&text).with_context(|| format!("{} has no package", path.display()))?;
    Ok(package.name)
}

/// The name of this program as a test target: `alloc` of `target/debug/deps/alloc-0123456789abcdef`.
pub(crate) fn this_test() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match stem.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 => name.to_owned(),
        _ => stem,
    }
}

#[derive(Deserialize)]
struct Manifest {
    package: Named,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Package {
    /// Its libraries and binaries.
    fn crates(&self, root: &Path) -> BTreeSet<Crate> {
        let folder = self.manifest_path.parent().and_then(|folder| folder.strip_prefix(root).ok());
        let folder = folder.map(|folder| folder.join("").to_string_lossy().into_owned());
        let is_own = |target: &&Target| {
            target.kind.iter().any(|kind| kind == "bin" || kind.ends_with("lib"))
        };
        let of = |target: &Target| Crate {
            name: target.name.replace('-', "_"),
            folder: folder.clone().unwrap_or_default(),
            root: root.to_owned(),
        };
        self.targets.iter().filter(is_own).map(of).collect()
    }
}

#[derive(Deserialize)]
struct Lockfile {
    #[serde(default)]
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    /// Missing for packages in folders.
    source: Option<String>,
    /// `name`, or `name version` where there are several.
    #[serde(default)]
    dependencies: Vec<String>,
}

impl Lockfile {
    /// Versions of the packages below the local one called `name`, several joined by commas.
    fn below(&self, name: &str) -> BTreeMap<String, String> {
        let mut seen = BTreeSet::new();
        let is_root =
            |one: &usize| self.package[*one].name == name && self.package[*one].source.is_none();
        let mut next: Vec<usize> = (0..self.package.len()).filter(is_root).collect();
        while let Some(one) = next.pop() {
            if seen.insert(one) {
                let wanted = self.package[one].dependencies.iter();
                next.extend(wanted.filter_map(|words| self.find(words)));
            }
        }
        let mut versions = BTreeMap::<String, BTreeSet<&str>>::new();
        for Locked { name, version, .. } in
            seen.iter().map(|one| &self.package[*one]).filter(|one| one.source.is_some())
        {
            versions.entry(name.clone()).or_default().insert(version);
        }
        let joined = |versions: BTreeSet<&str>| versions.into_iter().collect::<Vec<_>>().join(", ");
        versions.into_iter().map(|(name, versions)| (name, joined(versions))).collect()
    }

    fn find(&self, dependency: &str) -> Option<usize> {
        let mut words = dependency.split(' ');
        let (name, version) = (words.next()?, words.next());
        let is_it =
            |one: &Locked| one.name == name && version.is_none_or(|version| one.version == version);
        self.package.iter().position(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCKFILE: &str = r#"
        version = 4
        [[package]]
        name = "chat"
        version = "0.1.0"
        dependencies = ["axum", "log 0.4.1"]
        [[package]]
        name = "axum"
        version = "0.8.9"
        source = "registry+https://github.com/rust-lang/crates.io-index"
        dependencies = ["log 0.3.0"]
        [[package]]
        name = "log"
        version = "0.3.0"
        source = "registry+https://github.com/rust-lang/crates.io-index"
        [[package]]
        name = "log"
        version = "0.4.1"
        source = "registry+https://github.com/rust-lang/crates.io-index"
        [[package]]
        name = "unrelated"
        version = "1.0.0"
        source = "registry+https://github.com/rust-lang/crates.io-index"
    "#;

    #[test]
    fn the_packages_are_those_that_the_lockfile_lists_below_the_own_one() {
        let lockfile: Lockfile = toml::from_str(LOCKFILE).expect("it is a lockfile");
        let expected = [("axum", "0.8.9"), ("log", "0.3.0, 0.4.1")];
        let expected = expected.map(|(name, version)| (name.to_owned(), version.to_owned()));
        assert_eq!(lockfile.below("chat"), BTreeMap::from(expected));
    }

    #[test]
    fn a_package_knows_its_workspace() {
        let found = Workspace::find(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("it is one");
        assert_eq!(found.package, "plimsoll");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(package_in(folder).expect("it is a package"), found.package);
        let (name, folder) = ("plimsoll".to_owned(), "alloc-tests/harness/".to_owned());
        let own = Crate { name, folder, root: found.root.clone() };
        assert!(found.members.contains(&own), "{:?}", found.members);
        assert!(found.packages().expect("it has a lockfile").contains_key("dhat"));
    }

    #[test]
    fn a_folder_without_a_package_is_refused_with_what_to_write() {
        let folder = tempfile::tempdir().expect("there is room");
        let error = Workspace::find(folder.path()).expect_err("it is empty");
        assert!(error.to_string().contains("cargo metadata failed"), "{error}");
    }
}
