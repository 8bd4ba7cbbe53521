//! The server under measurement, and where its numbers and its commands are.

use std::path::PathBuf;

use baselines::alloc::{Counts, Provenance};
use baselines::{AllocBaseline, Error};

use crate::Registry;

/// The target triple that this runner is built for.
pub const TARGET: &str = env!("PLIMSOLL_TARGET");

/// Everything that differs from one runner to another besides its scenarios.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The suite's name in JUnit reports.
    pub name: &'static str,
    /// One line for `--help`.
    pub about: &'static str,
    /// Crates of the server: a call path ends at the first function of one of them.
    pub crates: &'static [Crate],
    /// Folder of the recorded numbers.
    pub baselines: PathBuf,
    /// Name and version of each package that the runner is built of, without those of the workspace: a build script
    /// takes them from `cargo tree`, and a report names those that differ from the recorded ones.
    pub packages: &'static [(&'static str, &'static str)],
    /// The command that runs the suite, for messages and `--help`.
    pub command: &'static str,
    /// The file that sets the global allocator, for messages.
    pub allocator_file: &'static str,
}

/// A crate of the server.
#[derive(Clone, Copy, Debug)]
pub struct Crate {
    /// Its name in paths of functions.
    pub name: &'static str,
    /// Its folder below the workspace's root, with a `/` at the end.
    pub folder: &'static str,
}

impl Suite {
    /// The conditions that the counts of this build depend on.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        let owned = |(name, version): &(&str, &str)| ((*name).to_owned(), (*version).to_owned());
        Provenance {
            rustc: env!("PLIMSOLL_RUSTC").to_owned(),
            profile: env!("PLIMSOLL_PROFILE").to_owned(),
            packages: self.packages.iter().map(owned).collect(),
        }
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
