//! The results of a run as a table, JSON, JUnit or Markdown. Each is complete before the first byte is printed, so
//! that a closed pipe does not change the verdict.

mod junit;
mod table;

use baselines::alloc::Provenance;
use baselines::{SuiteReport, Verdict, suite_report};
use clap::ValueEnum;

use crate::result::ScenarioResult;
use crate::suite::{Suite, TARGET};

/// Everything to say about one scenario, in lines.
pub(crate) use table::explain;

/// The format of a report on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a terminal, 80 columns wide
    Table,
    /// For a program: the baseline's own shape, with verdicts
    Json,
    /// For CI systems that show tests
    Junit,
    /// For a pull request or a job summary
    Markdown,
}

/// A whole run.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    /// The suite that ran.
    pub(crate) suite: &'a Suite,
    /// The results, in the order of the ids.
    pub(crate) results: Vec<ScenarioResult>,
    /// The conditions of this build.
    pub(crate) provenance: Provenance,
    /// Differences to the build that recorded the baselines, one sentence each.
    pub(crate) provenance_differs: Vec<String>,
    /// The reason why there are no baselines, if there are none.
    pub(crate) no_baseline: Option<String>,
    /// Kept runs at each N.
    pub(crate) runs: u64,
    /// The filters of the command line, separated by spaces.
    pub(crate) filter: String,
}

impl Run<'_> {
    /// The exit code of the run.
    pub(crate) fn exit_code(&self) -> u8 {
        baselines::verdict::exit_code(self.results.iter().map(|one| one.report.verdict))
    }

    /// The run as text.
    pub(crate) fn render(&self, format: Format) -> anyhow::Result<String> {
        match format {
            Format::Table => Ok(table::terminal(self)),
            Format::Markdown => Ok(table::markdown(self)),
            Format::Json => Ok(self.suite_report().render()),
            Format::Junit => junit::render(self),
        }
    }

    fn suite_report(&self) -> SuiteReport {
        let Provenance { rustc, profile, lockfile } = self.provenance.clone();
        let scenarios = self.results.iter().map(|one| (one.id.clone(), one.report.clone()));
        SuiteReport {
            schema: suite_report::SCHEMA,
            target: TARGET.to_owned(),
            rustc,
            profile,
            lockfile,
            provenance_differs: self.provenance_differs.clone(),
            exit_code: self.exit_code(),
            scenarios: scenarios.collect(),
        }
    }

    /// Number of scenarios with `verdict`.
    fn count(&self, verdict: Verdict) -> usize {
        self.results.iter().filter(|one| one.report.verdict == verdict).count()
    }

    /// `3 passed, 1 regressed`.
    fn verdicts(&self) -> String {
        let counts = Verdict::ALL
            .iter()
            .map(|verdict| (self.count(*verdict), *verdict))
            .filter(|(count, _)| *count > 0);
        let words = |(count, verdict)| match verdict {
            Verdict::Pass => format!("{count} passed"),
            other => format!("{count} {}", other.as_str()),
        };
        counts.map(words).collect::<Vec<_>>().join(", ")
    }

    /// The next step, with a command to type; `None` if all passed.
    fn next_step(&self) -> Option<String> {
        let command = self.suite.command;
        let filter =
            if self.filter.is_empty() { String::new() } else { format!(" {}", self.filter) };
        let record = format!("{}{filter}", self.suite.update_command());
        let any = |verdict| self.count(verdict) > 0;
        if any(Verdict::Blind) {
            let file = self.suite.allocator_file;
            return Some(format!("nothing is counted: make dhat the global allocator in {file}"));
        }
        if let Some(one) = self.results.iter().find(|one| one.is_unfit()) {
            return Some(format!("fix it, then: {command} {}", one.id));
        }
        if any(Verdict::Stale) {
            return Some(format!(
                "if the scenario is gone on purpose: {command} --update --prune --reason \"…\"{filter}"
            ));
        }
        if any(Verdict::Regressed) {
            return Some(format!("fix it, or if the cost is justified: {record}"));
        }
        if any(Verdict::Improved) || any(Verdict::Missing) {
            return Some(format!("record it: {record}"));
        }
        if any(Verdict::NotComparable) {
            let again = || format!("the scenario counts something else now; record it: {record}");
            return Some(self.no_baseline.clone().unwrap_or_else(again));
        }
        None
    }
}

#[cfg(test)]
mod tests;
