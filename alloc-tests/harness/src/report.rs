//! The results of a run as a table, JSON, JUnit or Markdown. Each is complete before the first byte is printed, so
//! that a closed pipe does not change the verdict.

mod colour;
mod junit;
mod source;
mod table;

use std::path::{Path, PathBuf};

use anyhow::Context;
use baselines::suite_report::ScenarioReport;
use baselines::{SuiteReport, Verdict};
use clap::ValueEnum;

use crate::result::is_unfit;
use crate::setup::Setup;

pub(crate) use colour::colour;
/// Everything to say about one scenario, in lines.
pub(crate) use table::explain;
pub use table::figures;

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

/// The format and the file in `markdown=summary.md`.
pub(crate) fn also(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, file) = text.split_once('=').unwrap_or((text, ""));
    if file.is_empty() {
        return Err("expected a format and a file, as in markdown=summary.md".to_owned());
    }
    Ok((Format::from_str(format, false)?, file.into()))
}

/// A whole run.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) report: SuiteReport,
    /// The reason why there are no baselines, if there are none.
    pub(crate) no_baseline: Option<String>,
    /// Whether numbers of the run wait for a decision.
    pub(crate) has_pending: bool,
    /// Kept runs at each N.
    pub(crate) runs: u64,
    /// The filters of the command line, separated by spaces.
    pub(crate) filter: String,
}

impl Run<'_> {
    pub(crate) fn render(&self, format: Format) -> anyhow::Result<String> {
        match format {
            Format::Table => Ok(table::terminal(self)),
            Format::Markdown => Ok(table::markdown(self)),
            Format::Json => Ok(self.report.render()),
            Format::Junit => junit::render(self),
        }
    }

    /// Writes the report to `file`.
    pub(crate) fn write(&self, format: Format, file: &Path) -> anyhow::Result<()> {
        std::fs::write(file, self.render(format)?).with_context(|| {
            format!("cannot write {}; check its folder with ls -ld", file.display())
        })
    }

    /// Number of scenarios with `verdict`.
    fn count(&self, verdict: Verdict) -> usize {
        self.report.scenarios.values().filter(|one| one.verdict == verdict).count()
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
        let command = &self.setup.command;
        let filter =
            if self.filter.is_empty() { String::new() } else { format!(" {}", self.filter) };
        let review = if self.has_pending { "cargo plimsoll review, or " } else { "" };
        let record = format!("{review}{}{filter}", self.setup.update_command());
        let any = |verdict| self.count(verdict) > 0;
        let unfit = self.report.scenarios.iter().find(|(_, one)| is_unfit(one));
        Some(if any(Verdict::Blind) {
            "nothing is counted: write plimsoll::allocator!(); in the file of the suite; if a library has a \
             #[global_allocator], move it to the binary"
                .to_owned()
        } else if let Some((id, ScenarioReport { verdict: Verdict::Nondeterministic, .. })) = unfit
        {
            format!("find the cause: {command} --doctor {id}")
        } else if let Some((id, _)) = unfit {
            format!("fix it, then: {command} {id}")
        } else if any(Verdict::Stale) {
            format!(
                "if the scenario is gone on purpose: {command} --update --prune --reason \"…\"{filter}"
            )
        } else if any(Verdict::Regressed) {
            format!("fix it, or if the cost is justified: {record}")
        } else if any(Verdict::Improved) || any(Verdict::Missing) {
            format!("record it: {record}")
        } else if any(Verdict::NotComparable) {
            let again = || format!("the scenario counts something else now; record it: {record}");
            self.no_baseline.clone().unwrap_or_else(again)
        } else {
            return None;
        })
    }
}

#[cfg(test)]
mod tests;
