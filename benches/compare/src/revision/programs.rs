//! Built programs, kept by everything that their build depended on. Arms with equal inputs share them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::cleanup;

/// Builds of a service that are kept: base and head of this comparison and of the last one.
const MOST: usize = 4;

/// Prefixes of the variables that change a build.
const BUILD_VARIABLES: [&str; 6] = [
    "CARGO_BUILD_",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "RUSTC",
    "RUSTFLAGS",
];

/// The programs of one arm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    /// The server.
    pub server: PathBuf,
    /// The runner of the allocation scenarios, or the reason why there is none.
    pub runner: Result<PathBuf, String>,
    /// The first line of its compiler's version.
    #[serde(default)]
    pub compiler: String,
    /// The reason why the server's functions are not aligned, if they are not.
    pub(super) unaligned: Option<String>,
}

impl Built {
    /// Whether every program is a file.
    pub(super) fn is_there(&self) -> bool {
        let programs = [Ok(&self.server), self.runner.as_ref()];
        programs.into_iter().flatten().all(|program| program.is_file())
    }

    pub(super) fn note(&self, name: &str) {
        if let Some(why) = &self.unaligned {
            eprintln!(
                "note: {name} is compared without aligned functions, so code that only moved may seem slower or faster: \
                 {why}"
            );
        }
    }
}

/// Everything that a build depends on.
#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Inputs {
    /// Part of the programs: they contain the paths of their sources.
    path: PathBuf,
    tree: String,
    rustc: String,
    commands: Vec<String>,
    environment: BTreeMap<String, String>,
    /// Cargo's configuration files outside the tree.
    configuration: BTreeMap<PathBuf, String>,
}

impl Inputs {
    /// The inputs of `commands`, run in `path` with `environment`; git knows the files there as `tree`.
    pub(super) fn of(
        path: &Path,
        tree: &str,
        commands: Vec<String>,
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        // Run in the tree, which may pin a toolchain.
        let version = cleanup::output(Command::new(rustc).arg("-vV").current_dir(path));
        let version = version.context("cannot run rustc; install it from https://rustup.rs")?;
        ensure!(
            version.status.success(),
            "rustc does not run: {}\ntry: rustup toolchain install",
            String::from_utf8_lossy(&version.stderr).trim()
        );
        let is_input = |name: &str| {
            name != "CARGO_TARGET_DIR"
                && BUILD_VARIABLES.iter().any(|start| name.starts_with(start))
        };
        let lossy = |text: OsString| text.to_string_lossy().into_owned();
        let users = std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value)));
        let ours = environment.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Self {
            path: path.to_owned(),
            tree: tree.to_owned(),
            rustc: String::from_utf8_lossy(&version.stdout).trim().to_owned(),
            commands,
            environment: users.filter(|(name, _)| is_input(name)).chain(ours).collect(),
            configuration: configuration(path),
        })
    }
}

impl Inputs {
    /// `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub(super) fn compiler(&self) -> String {
        self.rustc.lines().next().unwrap_or_default().to_owned()
    }
}

/// The configuration files that cargo reads for a build in `tree`, except those in the tree.
fn configuration(tree: &Path) -> BTreeMap<PathBuf, String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let above = tree.ancestors().skip(1).map(|folder| folder.join(".cargo"));
    let folders = above.chain(home);
    let files = folders.flat_map(|folder| ["config", "config.toml"].map(|name| folder.join(name)));
    files.filter_map(|file| Some((file.clone(), fs::read_to_string(&file).ok()?))).collect()
}

/// The place of the programs with these inputs.
pub(super) struct Kept {
    inputs: Inputs,
    /// Contains a folder for each build. Their names have equal lengths, because a program's path is on its stack.
    all: PathBuf,
    own: PathBuf,
    /// Builds that are kept.
    most: usize,
}

impl Kept {
    /// The place below `folder`, which is shared by so many `services`.
    pub(super) fn of(folder: &Path, inputs: Inputs, services: usize) -> Self {
        let mut hasher = DefaultHasher::new();
        inputs.hash(&mut hasher);
        let all = folder.join("programs");
        let own = all.join(format!("{:016x}", hasher.finish()));
        Self { inputs, all, own, most: MOST * services }
    }

    /// The programs, if they were built.
    pub(super) fn find(&self) -> Option<Built> {
        let text = fs::read(self.stamp()).ok()?;
        let (inputs, mut built): (Inputs, Built) = serde_json::from_slice(&text).ok()?;
        // Earlier versions did not keep it.
        built.compiler = self.inputs.compiler();
        if inputs != self.inputs || !built.is_there() {
            return None;
        }
        // The time of the last use decides which builds are removed; without it, the time of the build does.
        let stamp = File::options().append(true).open(self.stamp());
        drop(stamp.and_then(|stamp| stamp.set_modified(SystemTime::now())));
        Some(built)
    }

    /// An empty folder for the programs. Removes the builds that were not used for longest.
    pub(super) fn begin(&self) -> Result<PathBuf> {
        self.prune();
        let disk = || format!("cannot write in {}; check the disk with df -h", self.own.display());
        if self.own.exists() {
            fs::remove_dir_all(&self.own).with_context(disk)?;
        }
        fs::create_dir_all(&self.own).with_context(disk)?;
        Ok(self.own.clone())
    }

    /// The build has finished: writes its stamp, the inputs and the programs.
    pub(super) fn finish(&self, built: &Built) -> Result<()> {
        let stamp = self.stamp();
        let text = serde_json::to_string_pretty(&(&self.inputs, built))?;
        fs::write(&stamp, text)
            .with_context(|| format!("cannot write {}; check the disk with df -h", stamp.display()))
    }

    fn stamp(&self) -> PathBuf {
        self.own.join("stamp.json")
    }

    /// Leaves room for one more build. A folder that cannot be removed takes up space and nothing else.
    fn prune(&self) {
        let entries = fs::read_dir(&self.all).into_iter().flatten().flatten();
        let mut builds: Vec<_> = entries.map(|entry| (used(&entry.path()), entry.path())).collect();
        builds.sort();
        for (_, old) in builds.iter().rev().skip(self.most - 1) {
            drop(fs::remove_dir_all(old));
        }
    }
}

/// When the build in `folder` was last used; `None` if it did not finish.
fn used(folder: &Path) -> Option<SystemTime> {
    fs::metadata(folder.join("stamp.json")).ok()?.modified().ok()
}
