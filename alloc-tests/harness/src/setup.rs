//! What the parts of the harness know of a suite.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use baselines::alloc::{Counts, Provenance};
use baselines::{AllocBaseline, Error};

use crate::scenario::Registry;

/// The target triple that this runner is built for.
pub(crate) const TARGET: &str = env!("PLIMSOLL_TARGET");

/// The reason why a build with debug assertions judges no totals, and the next step.
pub(crate) const DEBUG_ASSERTIONS: &str = "this runner was built with debug assertions, which change the totals; build it in \
    release without them (see CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS, and debug-assertions in ~/.cargo/config.toml)";

/// Everything that differs from one runner to another besides its scenarios.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The package with the test, and the test target.
    pub(crate) package: String,
    pub(crate) test: String,
    /// The suite's name in JUnit reports.
    pub(crate) name: String,
    /// The workspace's root, which places of call sites are below.
    pub(crate) root: PathBuf,
    /// Folder of the recorded numbers.
    pub(crate) baselines: PathBuf,
    /// Name and version of each package that the runner is built of, without those of the workspace.
    pub(crate) packages: BTreeMap<String, String>,
    /// The command that runs the suite.
    pub(crate) command: String,
    /// Whether nothing may be alive at the end.
    pub(crate) is_strict: bool,
}

/// What the command line needs of a suite before it asks cargo. A scenario that runs uncounted, or a list of them, never
/// does: under callgrind the environment is empty.
#[derive(Clone, Debug)]
pub(crate) struct Face<'a> {
    /// One line for `--help`.
    pub(crate) about: &'a str,
    /// The command that runs the suite, perhaps without its package.
    pub(crate) command: String,
    /// As in [`Setup`].
    pub(crate) baselines: &'a Path,
}

/// A crate of the server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crate {
    /// Its name in paths of functions.
    pub(crate) name: String,
    /// Its folder below the workspace's root, with a `/` at the end.
    pub(crate) folder: String,
    /// The workspace's root.
    pub(crate) root: PathBuf,
}

impl Setup {
    /// The conditions that the counts of this build depend on.
    pub(crate) fn provenance(&self) -> Provenance {
        Provenance {
            rustc: env!("PLIMSOLL_RUSTC").to_owned(),
            profile: env!("PLIMSOLL_PROFILE").to_owned(),
            packages: self.packages.clone(),
        }
    }

    /// The command that records new numbers with the tests, which must all be in one process.
    pub(crate) fn test_command(&self) -> String {
        format!(
            "PLIMSOLL_UPDATE=\"…\" cargo test --release -p {} --test {}",
            self.package, self.test
        )
    }

    /// The command that records new numbers.
    pub(crate) fn update_command(&self) -> String {
        format!("{} --update --reason \"…\"", self.command)
    }
}

/// The recorded numbers of this target, and their folder.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) root: PathBuf,
    pub(crate) baseline: Result<AllocBaseline, Error>,
}

impl Recorded {
    /// Reads the numbers for this target below `root`. An error is kept, and becomes a verdict.
    pub(crate) fn load(root: PathBuf) -> Self {
        let baseline = baselines::recording::complete(&root)
            .and_then(|()| AllocBaseline::load(&baselines::alloc::path(&root, TARGET)));
        Self { root, baseline }
    }

    /// Recorded scenarios that are not in `registry`.
    pub(crate) fn stale<'a>(
        &'a self,
        registry: &'a Registry,
    ) -> impl Iterator<Item = (&'a String, &'a Counts)> {
        let recorded = self.baseline.iter().flat_map(|baseline| &baseline.scenarios);
        recorded.filter(|(id, _)| !registry.contains_key(id.as_str()))
    }
}
