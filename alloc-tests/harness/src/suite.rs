//! The suite of a runner: its scenarios, the crates of the server, and where its numbers are.

mod run;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use libtest_mimic::Trial;

use crate::scenario::{PLANTED, Registry, Scenario};

/// The whole program of a test target with `harness = false`: scenarios, and what they are held to.
///
/// ```standalone_crate
/// use plimsoll::{Scenario, Suite};
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
    /// are in `tests/baselines` below it, one file for each target.
    ///
    /// ```
    /// use std::process::ExitCode;
    /// use plimsoll::Suite;
    /// # fn main() {
    /// let empty = Suite::new(env!("CARGO_MANIFEST_DIR"));
    /// assert_eq!(empty.main(), ExitCode::from(2), "it has no scenario");
    /// # }
    /// ```
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
    ///
    /// ```
    /// # use plimsoll::{Scenario, Suite};
    /// # fn main() -> std::process::ExitCode {
    /// let suite = Suite::new(env!("CARGO_MANIFEST_DIR"));
    /// suite.scenario("parse_9_numbers", || {
    ///     Scenario::new("number", 9, |_| |_| Ok("7".parse::<u8>().map(drop)?))
    /// })
    /// # .main() }
    /// ```
    #[must_use]
    pub fn scenario(mut self, id: &'static str, scenario: impl FnOnce() -> Scenario) -> Self {
        if id.starts_with(PLANTED) {
            self.problem = Some(format!("{id} would run only by its whole id; use Suite::planted"));
        }
        self.planted(id, scenario)
    }

    /// Adds a scenario with a planted fault, for a test of the suite itself. If its id begins with `planted_`, it runs only
    /// when it is named by its whole id.
    ///
    /// ```
    /// # use plimsoll::{Scenario, Suite};
    /// # fn main() -> std::process::ExitCode {
    /// # let suite = Suite::new(env!("CARGO_MANIFEST_DIR"));
    /// let leak = || Scenario::new("leak", 9, |_| |_| Ok(std::mem::forget(Box::new(7))));
    /// suite.planted("planted_leak", leak) // not run, and no failure
    /// # .main() }
    /// ```
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
    ///
    /// ```
    /// # use plimsoll::{Scenario, Suite};
    /// let suite = Suite::new(env!("CARGO_MANIFEST_DIR")).crates(&["chat", "chat_protocol"]);
    /// ```
    #[must_use]
    pub fn crates(mut self, names: &[&str]) -> Self {
        self.crates = Some(names.iter().map(|name| name.replace('-', "_")).collect());
        self
    }

    /// Requires that nothing is alive at the end: no block, descriptor or task. Without it, as much may be alive at the
    /// end of 2N operations as at the end of N, because servers keep tables, threads and lazy statics.
    ///
    /// ```
    /// # use plimsoll::{Scenario, Suite};
    /// # fn main() -> std::process::ExitCode {
    /// # let suite = Suite::new(env!("CARGO_MANIFEST_DIR"));
    /// let start = || Scenario::new("start", 1, |_| |window| window.serve(async |_, stop| stop.await)?.stop());
    /// suite.strict().scenario("start_stop_1_starts", start).main()
    /// # }
    /// ```
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    /// The folder of the recorded numbers, instead of `tests/baselines`. `--update` creates it.
    ///
    /// ```
    /// # use plimsoll::{Scenario, Suite};
    /// let suite = Suite::new(env!("CARGO_MANIFEST_DIR")).baselines("../numbers");
    /// ```
    #[must_use]
    pub fn baselines(mut self, folder: impl Into<PathBuf>) -> Self {
        self.baselines = folder.into();
        self
    }

    /// The command that runs the suite, for `--help` and for what messages say to type, instead of `cargo test --release … -- suite`.
    ///
    /// ```
    /// # use plimsoll::{Scenario, Suite};
    /// let suite = Suite::new(env!("CARGO_MANIFEST_DIR")).command("just alloc-tests");
    /// ```
    #[must_use]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// The suite's name in JUnit reports, and one line about it for `--help`. By default `package::test` and "Exact allocation
    /// tests".
    ///
    /// ```
    /// # use plimsoll::{Scenario, Suite};
    /// let suite = Suite::new(env!("CARGO_MANIFEST_DIR")).about("chat", "What a message of the chat costs");
    /// ```
    #[must_use]
    pub fn about(mut self, name: impl Into<String>, about: impl Into<String>) -> Self {
        (self.name, self.about) = (Some(name.into()), about.into());
        self
    }

    /// Name and version of each package that the runner is built of, without those of the workspace. By default those that
    /// the lockfile lists for the package, with those for other platforms.
    ///
    /// ```
    /// # use plimsoll::{Scenario, Suite};
    /// let suite = Suite::new(env!("CARGO_MANIFEST_DIR")).packages(&[("axum", "0.8.9")]);
    /// assert_eq!(suite.provenance()?.packages["axum"], "0.8.9");
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    #[must_use]
    pub fn packages(mut self, packages: &[(&str, &str)]) -> Self {
        let owned = |(name, version): &(&str, &str)| ((*name).to_owned(), (*version).to_owned());
        self.packages = Some(packages.iter().map(owned).collect());
        self
    }

    /// Adds a test that is no scenario, for cargo and nextest.
    ///
    /// ```
    /// # use plimsoll::{Scenario, Suite};
    /// # fn main() -> std::process::ExitCode {
    /// use libtest_mimic::Trial;
    ///
    /// # let suite = Suite::new(env!("CARGO_MANIFEST_DIR"));
    /// # let suite = suite.scenario("parse_9_numbers", || Scenario::new("number", 9, |_| |_| Ok(())));
    /// suite.test(Trial::test("the_readme_shows_the_recorded_counts", || Ok(()))).main()
    /// # }
    /// ```
    #[must_use]
    pub fn test(mut self, trial: Trial) -> Self {
        self.trials.push(trial);
        self
    }
}
