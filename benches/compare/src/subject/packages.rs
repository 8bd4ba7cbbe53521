//! The packages of a workspace, as cargo knows them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::cleanup;

/// The members of a workspace.
#[derive(Clone, Debug, Deserialize)]
pub struct Packages {
    /// The folder of the root manifest.
    #[serde(rename = "workspace_root")]
    pub root: PathBuf,
    /// The folder of everything that cargo builds.
    #[serde(rename = "target_directory")]
    pub target: PathBuf,
    /// The members.
    pub packages: Vec<Package>,
}

/// A member.
#[derive(Clone, Debug, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    default_run: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// A kind of target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A program.
    Bin,
    /// A test.
    Test,
}

impl Kind {
    /// Cargo's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bin => "bin",
            Self::Test => "test",
        }
    }
}

impl Packages {
    /// Asks cargo for the workspace that contains `folder`.
    ///
    /// # Errors
    ///
    /// If there is none, or its manifests cannot be read: cargo's own message.
    pub fn of(folder: &Path) -> Result<Self> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["metadata", "--no-deps", "--format-version=1"]).current_dir(folder);
        let output = cleanup::output(&mut cargo);
        let output = output.context("cannot run cargo; install it from https://rustup.rs")?;
        if output.status.success() {
            return Self::parse(&output.stdout);
        }
        let message = String::from_utf8_lossy(&output.stderr);
        let message = message.trim().trim_start_matches("error: ");
        bail!("no cargo workspace: {message}; go to its folder: cd …")
    }

    /// Reads what `cargo metadata` printed.
    ///
    /// # Errors
    ///
    /// If it is something else.
    pub(crate) fn parse(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json)
            .context("cannot read the packages that cargo metadata prints; is cargo a wrapper?")
    }

    /// The member called `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }
}

impl Package {
    /// The folder of its manifest.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }

    /// Its targets of one kind.
    pub fn targets(&self, kind: Kind) -> impl Iterator<Item = &str> {
        let is_one = move |target: &&Target| target.kind.iter().any(|known| known == kind.name());
        let of_kind = self.targets.iter().filter(is_one);
        of_kind.map(|target| target.name.as_str())
    }

    /// Whether it has such a target.
    #[must_use]
    pub fn has(&self, kind: Kind, name: &str) -> bool {
        self.targets(kind).any(|known| known == name)
    }

    /// The program that `cargo run` runs: the default one, the one with the package's name, or the only one.
    #[must_use]
    pub fn default_bin(&self) -> Option<&str> {
        let all: Vec<&str> = self.targets(Kind::Bin).collect();
        let named = [self.default_run.as_deref(), Some(self.name.as_str())];
        let named = named.into_iter().flatten().find_map(|name| {
            let known = all.iter().find(|known| **known == name);
            known.copied()
        });
        named.or_else(|| if let [only] = all[..] { Some(only) } else { None })
    }
}
