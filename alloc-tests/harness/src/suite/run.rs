//! What a suite does: its tests, its table, or one scenario.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::Suite;
use crate::error::Usage;
use crate::setup::{Crate, Face, Setup};
use crate::workspace::{self, Workspace};
use crate::{child, cli, libtest, output};

impl Suite {
    /// Runs what the command line asks for: the tests of cargo and nextest, or after `--` the suite with its table
    /// (`suite`, `suite --help`), or one scenario for another tool (`run`). Returns 0 if all is well, 2 for a suite or a
    /// command line that makes no sense; the others are in `suite --help`.
    ///
    /// ```
    /// # use plimsoll::{Scenario, Suite};
    /// use std::process::ExitCode;
    ///
    /// fn main() -> ExitCode {
    ///     Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("parse_9_numbers", parse).main()
    /// }
    /// # fn parse() -> Scenario { Scenario::new("number", 9, |_| |_| Ok("7".parse::<u8>().map(drop)?)) }
    /// ```
    #[must_use]
    pub fn main(self) -> ExitCode {
        output::finish(self.run())
    }

    fn run(self) -> anyhow::Result<u8> {
        if let Some(problem) = self.problem {
            anyhow::bail!(Usage(problem));
        }
        if self.registry.is_empty() {
            anyhow::bail!(Usage(
                "the suite has no scenario; add one with Suite::scenario".to_owned()
            ));
        }
        if let Some((id, task)) = child::arguments()? {
            let crates = || crates_of(&self.folder, self.crates.as_deref());
            return child::serve(crates, &self.registry, &id, task).map(|()| 0);
        }
        match std::env::args().nth(1).as_deref() {
            Some("suite" | "run") => {
                let test = workspace::this_test();
                let command = self.command.clone();
                let command = command
                    .unwrap_or_else(|| format!("cargo test --release --test {test} -- suite"));
                let Self { about, baselines, registry, .. } = &self;
                cli::run(Face { about, command, baselines }, registry, || self.set_up())
            }
            _ => libtest::run(&self.set_up()?, &self.registry, self.trials),
        }
    }

    /// Asks cargo, unless the suite says all that it knows.
    fn set_up(&self) -> anyhow::Result<Setup> {
        let Self { name, baselines, command, is_strict, packages, .. } = self;
        let needs_workspace = name.is_none() || command.is_none() || packages.is_none();
        let workspace = needs_workspace.then(|| Workspace::find(&self.folder)).transpose()?;
        let test = workspace::this_test();
        let package = match &workspace {
            Some(found) => found.package.clone(),
            None => workspace::package_in(&self.folder)?,
        };
        Ok(Setup {
            name: name.clone().unwrap_or_else(|| format!("{package}::{test}")),
            root: workspace::root_above(&self.folder),
            baselines: baselines.clone(),
            command: command.clone().unwrap_or_else(|| {
                format!("cargo test --release -p {package} --test {test} -- suite")
            }),
            packages: match (packages, &workspace) {
                (Some(packages), _) => packages.clone(),
                (None, Some(workspace)) => workspace.packages()?,
                (None, None) => BTreeMap::new(),
            },
            is_strict: *is_strict,
            package,
            test,
        })
    }

    /// The conditions that the counts of this build depend on: compiler, profile, packages.
    ///
    /// ```
    /// # use plimsoll::{Scenario, Suite};
    /// let build = Suite::new(env!("CARGO_MANIFEST_DIR")).provenance()?;
    /// assert!(build.packages.contains_key("tokio"));
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If cargo or the lockfile are not found, with what to do.
    pub fn provenance(self) -> anyhow::Result<baselines::alloc::Provenance> {
        self.set_up().map(|setup| setup.provenance())
    }
}

/// The crates of the server: those with `names`, or all of the workspace around `folder`.
fn crates_of(folder: &Path, names: Option<&[String]>) -> anyhow::Result<Vec<Crate>> {
    let members = Workspace::find(folder).map(|workspace| workspace.members);
    let Some(names) = names else { return members };
    // A crate may lie outside of the workspace; then its files have no folder.
    let members = members.unwrap_or_default();
    let of = |name: &String| {
        let member = members.iter().find(|member| member.name == *name).cloned();
        member.unwrap_or_else(|| Crate {
            name: name.clone(),
            folder: String::new(),
            root: PathBuf::new(),
        })
    };
    Ok(names.iter().map(of).collect())
}
