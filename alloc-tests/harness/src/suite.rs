//! The suite of a runner: its scenarios, the crates of the server, and where its numbers are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::Trial;

use crate::error::Usage;
use crate::scenario::{PLANTED, Registry, Scenario};
use crate::setup::{Crate, Setup};
use crate::workspace::{self, Workspace};
use crate::{child, cli, libtest, output};

/// The whole program of a test target with `harness = false`: scenarios, and what they are held to.
///
/// ```no_run
/// use plimsoll::{Scenario, Suite, ws::{Client, Frame}};
///
/// plimsoll::allocator!();
///
/// fn main() -> std::process::ExitCode {
///     Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("parse_100_numbers", parse).main()
/// }
///
/// fn parse() -> Scenario {
///     Scenario::new("number", 100, |n| {
///         move |_| (0..n).try_for_each(|_| Ok("7".parse::<u8>().map(drop)?))
///     })
/// }
/// ```
pub struct Suite {
    folder: PathBuf,
    name: Option<String>,
    about: String,
    crates: Option<Vec<String>>,
    baselines: PathBuf,
    packages: Option<BTreeMap<String, String>>,
    command: Option<String>,
    is_strict: bool,
    registry: Registry,
    trials: Vec<Trial>,
    problem: Option<String>,
}

impl Suite {
    /// A suite without scenarios. `folder` is that of the package with the test: `env!("CARGO_MANIFEST_DIR")`. Its numbers
    /// are in `tests/baselines` below it.
    #[must_use]
    pub fn new(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref().to_owned();
        Self {
            name: None,
            about: "Exact allocation tests".to_owned(),
            crates: None,
            baselines: folder.join("tests/baselines"),
            packages: None,
            command: None,
            is_strict: false,
            registry: Registry::new(),
            trials: Vec::new(),
            problem: None,
            folder,
        }
    }

    /// Adds a scenario. `id` is its name in the baseline and that of its test: letters, digits and `_`, the count spelled
    /// with what is counted, as in `text_64b_1000_msgs`.
    #[must_use]
    pub fn scenario(mut self, id: &'static str, scenario: impl FnOnce() -> Scenario) -> Self {
        if id.starts_with(PLANTED) {
            self.problem = Some(format!("{id} would run only by its whole id; use Suite::planted"));
        }
        self.planted(id, scenario)
    }

    /// Adds a scenario with a planted fault, for a test of the suite itself. If its id begins with `planted_`, it runs only
    /// when it is named by its whole id.
    #[must_use]
    pub fn planted(mut self, id: &'static str, scenario: impl FnOnce() -> Scenario) -> Self {
        let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
        if id.is_empty() || !id.chars().all(is_name) {
            self.problem = Some(format!("a scenario is called {id:?}; use letters, digits and _"));
        }
        let scenario = scenario();
        if let Some(problem) = scenario.problem() {
            self.problem = Some(format!("{id}: {problem}"));
        }
        if self.registry.insert(id, scenario).is_some() {
            self.problem = Some(format!("two scenarios are called {id}; rename one"));
        }
        self
    }

    /// A suite that runs nothing and says why.
    pub(crate) fn refused(self, problem: &str) -> Self {
        Self { problem: Some(problem.to_owned()), ..self }
    }

    /// Crates of the server, by their names in paths of functions: a call path ends at the first function of one of them.
    /// By default the libraries and binaries of the workspace.
    #[must_use]
    pub fn crates(mut self, names: &[&str]) -> Self {
        self.crates = Some(names.iter().map(|name| name.replace('-', "_")).collect());
        self
    }

    /// Requires that nothing is alive at the end: no block, descriptor or task. Without it, as much may be alive at the
    /// end of 2N operations as at the end of N, because servers keep tables, threads and lazy statics.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// The folder of the recorded numbers, instead of `tests/baselines`.
    #[must_use]
    pub fn baselines(mut self, folder: impl Into<PathBuf>) -> Self {
        self.baselines = folder.into();
        self
    }

    /// The command that runs the suite, for messages and `--help`, instead of `cargo test --release … -- suite`.
    #[must_use]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// The suite's name in JUnit reports, and one line about it for `--help`.
    #[must_use]
    pub fn about(mut self, name: impl Into<String>, about: impl Into<String>) -> Self {
        (self.name, self.about) = (Some(name.into()), about.into());
        self
    }

    /// Name and version of each package that the runner is built of, without those of the workspace. By default those that
    /// the lockfile lists for the package, with those for other platforms.
    #[must_use]
    pub fn packages(mut self, packages: &[(&str, &str)]) -> Self {
        let owned = |(name, version): &(&str, &str)| ((*name).to_owned(), (*version).to_owned());
        self.packages = Some(packages.iter().map(owned).collect());
        self
    }

    /// Adds a test that is no scenario, for cargo and nextest.
    #[must_use]
    pub fn test(mut self, trial: Trial) -> Self {
        self.trials.push(trial);
        self
    }

    /// Runs what the command line asks for: the tests of cargo and nextest, or after `--` the suite with its table
    /// (`suite`, `suite --help`), or one scenario for another tool (`run`).
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
        let (setup, registry, trials) = self.set_up()?;
        match std::env::args().nth(1).as_deref() {
            Some("suite" | "run") => cli::run(&setup, &registry),
            _ => libtest::run(&setup, &registry, trials),
        }
    }

    fn set_up(self) -> anyhow::Result<(Setup, Registry, Vec<Trial>)> {
        let Self { name, about, baselines, command, is_strict, registry, trials, .. } = self;
        let needs_workspace = name.is_none() || command.is_none() || self.packages.is_none();
        let workspace = needs_workspace.then(|| Workspace::find(&self.folder)).transpose()?;
        let test = workspace::this_test();
        let package = workspace.as_ref().map_or("", |found| found.package.as_str());
        let setup = Setup {
            name: name.unwrap_or_else(|| format!("{package}::{test}")),
            about,
            baselines,
            command: command.unwrap_or_else(|| {
                format!("cargo test --release -p {package} --test {test} -- suite")
            }),
            packages: match (self.packages, &workspace) {
                (Some(packages), _) => packages,
                (None, Some(workspace)) => workspace.packages()?,
                (None, None) => BTreeMap::new(),
            },
            is_strict,
        };
        Ok((setup, registry, trials))
    }

    /// The conditions that the counts of this build depend on: compiler, profile, packages.
    ///
    /// # Errors
    ///
    /// If cargo or the lockfile are not found, with what to do.
    pub fn provenance(self) -> anyhow::Result<baselines::alloc::Provenance> {
        self.set_up().map(|(setup, ..)| setup.provenance())
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
        member.unwrap_or_else(|| Crate { name: name.clone(), folder: String::new() })
    };
    Ok(names.iter().map(of).collect())
}
