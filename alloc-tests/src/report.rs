//! Verdicts for people and for machines. Everything is written into a string first: a reader that goes away early
//! changes nothing about the verdict.

mod json;
mod junit;
mod table;

use baselines::Verdict;
use clap::ValueEnum;

use crate::judged::Judged;

/// How a run is reported on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a terminal, right at 80 columns.
    Table,
    /// The baseline's own shape, with verdicts.
    Json,
    /// For CI systems that show tests.
    Junit,
    /// For a pull request or a job summary.
    Markdown,
}

/// A whole run.
#[derive(Debug)]
pub struct Run {
    /// Every scenario that was judged, by id.
    pub judged: Vec<Judged>,
    /// In words, how this build differs from the one the baselines were recorded with.
    pub provenance: Vec<String>,
    /// Why there are no baselines, if there are none.
    pub no_baseline: Option<String>,
    /// Kept runs at each N.
    pub runs: usize,
    /// What the command line that would repeat this names behind the script.
    pub filter: String,
}

impl Judged {
    /// What there is to say about this scenario, in lines.
    #[must_use]
    pub fn explanation(&self) -> String {
        table::explain(self)
    }
}

impl Run {
    /// The exit code of the run.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        baselines::verdict::exit_code(self.judged.iter().map(|one| one.judgement.verdict))
    }

    /// The run in words.
    ///
    /// # Errors
    ///
    /// If a format cannot hold it.
    pub fn render(&self, format: Format) -> anyhow::Result<String> {
        match format {
            Format::Table => Ok(table::render(self, table::Look::Terminal)),
            Format::Markdown => Ok(table::render(self, table::Look::Markdown)),
            Format::Json => json::render(self),
            Format::Junit => junit::render(self),
        }
    }

    /// How many scenarios came to `verdict`.
    pub(crate) fn count(&self, verdict: Verdict) -> usize {
        self.judged.iter().filter(|one| one.judgement.verdict == verdict).count()
    }

    /// `3 passed, 1 regressed`.
    pub(crate) fn summary(&self) -> String {
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

    /// The next command to type, where there is something to do.
    pub(crate) fn next(&self) -> Option<String> {
        let script = "scripts/run-alloc-tests.sh";
        let filter =
            if self.filter.is_empty() { String::new() } else { format!(" {}", self.filter) };
        let any = |verdicts: &[Verdict]| {
            self.judged.iter().any(|one| verdicts.contains(&one.judgement.verdict))
        };
        if any(&[Verdict::Blind]) {
            return Some("the instrument does not see: make dhat the global allocator of alloc-tests/tests/alloc.rs again".to_owned());
        }
        if let Some(one) = self.judged.iter().find(|one| one.is_unfit()) {
            return Some(format!("mend it, then: {script} {}", one.id));
        }
        if any(&[Verdict::Stale]) {
            return Some(format!(
                "if it is meant to be gone: {script} --update --prune --reason \"…\"{filter}"
            ));
        }
        if any(&[Verdict::Regressed]) {
            return Some(format!(
                "mend it, or if it is the price of something: {script} --update --reason \"…\"{filter}"
            ));
        }
        if any(&[Verdict::Improved, Verdict::Missing]) {
            return Some(format!("record it: {script} --update --reason \"…\"{filter}"));
        }
        if any(&[Verdict::NotComparable]) {
            return Some(match &self.no_baseline {
                Some(why) => why.clone(),
                None => format!(
                    "it counts something else now; record it anew: {script} --update --reason \"…\"{filter}"
                ),
            });
        }
        None
    }
}
