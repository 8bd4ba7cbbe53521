//! What waits, of this target and chosen by filters.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use baselines::{AllocBaseline, Error, Pending, Verdict, alloc, pending};

use super::files::found;
use super::{Suites, artifact};
use crate::error::{NotComparable, Usage};

/// Which numbers a command is about.
#[derive(Debug, clap::Args)]
pub(crate) struct Of {
    /// Scenarios whose id contains one of these [default: all]
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,

    /// Target triple of the numbers [default: this machine's]
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
}

/// What `review`, `accept` and `reject` say without numbers in the tree.
pub(crate) const NOTHING: &str = "\
nothing is pending: a red run of the tests in release leaves its numbers in tests/baselines of its package, or in the
folder that plimsoll.toml names for it
";

/// Numbers that wait for a decision, in the order of their suites and ids.
pub(crate) struct Waiting {
    pub(crate) all: Vec<Pending>,
    /// Those that were judged by other numbers than the recorded ones.
    pub(crate) stale: Vec<Pending>,
    /// Those whose numbers are recorded already.
    pub(crate) known: Vec<Pending>,
    /// Scenarios that passed, in another build than the recorded one.
    pub(crate) passed: Vec<Pending>,
    /// Other targets with numbers.
    pub(crate) elsewhere: BTreeSet<String>,
}

impl Waiting {
    /// The numbers in the tree, or those of the artifact `from`.
    pub(crate) fn find(suites: &Suites, of: &Of, from: Option<&Path>) -> Result<Self> {
        let mut found = match from {
            Some(artifact) => artifact::read(artifact)?,
            None => in_tree(suites)?,
        };
        artifact::check_unique(&mut found)?;
        let target = of.target.clone().map_or_else(host, Ok)?;
        let (found, others): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|one| one.target == target);
        let elsewhere = others.into_iter().filter(|one| one.verdict != Verdict::Pass);
        let elsewhere: BTreeSet<String> = elsewhere.map(|one| one.target).collect();
        if found.is_empty() && !elsewhere.is_empty() {
            let known = elsewhere.into_iter().collect::<Vec<_>>();
            let (all, first) = (known.join(" and "), &known[0]);
            let this = if of.target.is_some() { "" } else { "this machine's, " };
            bail!(Usage(format!(
                "the pending numbers are of {all}, and none of {this}{target}; type --target {first}"
            )));
        }
        let (passed, mut all): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|one| one.verdict == Verdict::Pass);
        chosen(&mut all, &of.filters)?;
        let (mut stale, mut known) = (Vec::new(), Vec::new());
        for one in std::mem::take(&mut all) {
            let recorded = recorded(suites, &one)?;
            let counts = recorded.and_then(|mut recorded| recorded.scenarios.remove(&one.id));
            let kind = match counts {
                counts if counts == one.recorded => &mut all,
                Some(counts) if counts == one.measured => &mut known,
                _ => &mut stale,
            };
            kind.push(one);
        }
        Ok(Self { all, stale, known, passed, elsewhere })
    }

    /// Numbers of other targets, in a sentence.
    pub(crate) fn elsewhere(&self) -> Option<String> {
        let first = self.elsewhere.first()?;
        let all = self.elsewhere.iter().cloned().collect::<Vec<_>>().join(", ");
        Some(format!("pending as well, for other targets: {all}; type --target {first}"))
    }
}

fn in_tree(suites: &Suites) -> Result<Vec<Pending>> {
    let mut all = Vec::new();
    for folder in suites.folders() {
        for (path, one) in found(&pending::folder(folder))? {
            if suites
                .baselines(&one)
                .with_context(|| pending::plain(&path.display().to_string()))?
                != folder
            {
                let (package, test) = (&one.package, &one.test);
                bail!(NotComparable(format!(
                    "{} has numbers of {package}::{test}, which are kept elsewhere; remove it",
                    pending::plain(&path.display().to_string())
                )));
            }
            all.push(one);
        }
    }
    Ok(all)
}

/// Keeps what a filter chooses. A filter without a match is an error.
fn chosen(all: &mut Vec<Pending>, filters: &[String]) -> Result<()> {
    for filter in filters {
        if !all.iter().any(|one| one.id.contains(filter.as_str())) {
            let near = bench_show::hint::nearest(filter, all.iter().map(|one| one.id.as_str()));
            let near = near.map_or_else(String::new, |near| format!("; the nearest is {near}"));
            bail!(Usage(format!("nothing pending contains {filter:?}{near}")));
        }
    }
    let is_chosen = |one: &Pending| filters.iter().any(|filter| one.id.contains(filter.as_str()));
    all.retain(|one| filters.is_empty() || is_chosen(one));
    Ok(())
}

/// The recorded numbers of the suite of `pending`.
pub(crate) fn recorded(suites: &Suites, pending: &Pending) -> Result<Option<AllocBaseline>> {
    let root = suites.baselines(pending)?;
    baselines::recording::complete(root)?;
    match AllocBaseline::load(&alloc::path(root, &pending.target)) {
        Ok(baseline) => Ok(Some(baseline)),
        Err(Error::Missing { .. }) => Ok(None),
        Err(error @ Error::NotComparable { .. }) => bail!(NotComparable(format!(
            "{error}; restore the file with git, or delete it and run the test again"
        ))),
        Err(error) => Err(error.into()),
    }
}

/// The target triple of this machine.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(PathBuf::from(rustc)).arg("-vV").output();
    let output =
        output.context("cannot start rustc; type --target with the triple of the numbers")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc names no host; type --target with the triple")
}
