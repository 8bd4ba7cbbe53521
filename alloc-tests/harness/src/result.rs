//! The result of one scenario.

use baselines::Verdict;
use baselines::alloc::Counts;
use baselines::compare::{Change, Judgement, Live, judge};
use baselines::suite_report::ScenarioReport;

/// One scenario, measured and judged.
#[derive(Clone, Debug)]
pub(crate) struct ScenarioResult {
    pub(crate) id: String,
    pub(crate) report: ScenarioReport,
    /// The metrics that differ from the baseline.
    pub(crate) changes: Vec<Change>,
}

impl ScenarioResult {
    /// The result of a scenario that did not run yet: failed.
    pub(crate) fn new(id: &str, unit: &str, recorded: Option<Counts>) -> Self {
        let report = ScenarioReport {
            measured: None,
            verdict: Verdict::Failed,
            unit: unit.to_owned(),
            recorded,
            live: Live::default(),
            sites_changed: Vec::new(),
            leaks: Vec::new(),
            notes: Vec::new(),
        };
        Self { id: id.to_owned(), report, changes: Vec::new() }
    }

    /// The result of a baseline entry without a scenario.
    pub(crate) fn stale(id: &str, recorded: &Counts) -> Self {
        let mut result = Self::new(id, "operation", Some(recorded.clone()));
        result.take(judge(Some(recorded), None, None));
        let note = "the baseline has numbers for this id, but there is no such scenario";
        result.report.notes.push(note.to_owned());
        result
    }

    pub(crate) fn take(&mut self, Judgement { verdict, changes }: Judgement) {
        self.report.verdict = verdict;
        self.changes = changes;
    }

    /// Whether a baseline must not hold this result.
    pub(crate) fn is_unfit(&self) -> bool {
        let ScenarioReport { verdict, measured, .. } = &self.report;
        matches!(
            verdict,
            Verdict::Leaked | Verdict::Nondeterministic | Verdict::Blind | Verdict::Failed
        ) || (measured.is_none() && *verdict != Verdict::Stale)
    }
}
