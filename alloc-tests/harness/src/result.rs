//! The outcome of one scenario.

use baselines::Verdict;
use baselines::alloc::Counts;
use baselines::compare::{Judgement, Live, judge};
use baselines::sites::SiteChange;
use baselines::suite_report::Leak;

/// One scenario, measured and judged.
#[derive(Debug)]
pub struct ScenarioResult {
    /// The scenario's id.
    pub id: String,
    /// The name of one operation.
    pub unit: &'static str,
    /// The numbers in the baseline.
    pub recorded: Option<Counts>,
    /// The numbers of this run.
    pub measured: Option<Counts>,
    /// Left alive at the end.
    pub live: Live,
    /// Verdict and changed metrics.
    pub judgement: Judgement,
    /// Sentences for a reader.
    pub notes: Vec<String>,
    /// Call sites that changed, largest change first.
    pub sites: Vec<SiteChange>,
    /// Call sites that left blocks behind.
    pub leaks: Vec<Leak>,
}

impl ScenarioResult {
    /// The result of a scenario that did not run yet: failed.
    pub(crate) fn new(id: &str, unit: &'static str, recorded: Option<Counts>) -> Self {
        Self {
            id: id.to_owned(),
            unit,
            recorded,
            measured: None,
            live: Live::default(),
            judgement: Judgement { verdict: Verdict::Failed, changes: Vec::new() },
            notes: Vec::new(),
            sites: Vec::new(),
            leaks: Vec::new(),
        }
    }

    /// The result of a baseline entry without a scenario.
    pub(crate) fn stale(id: &str, recorded: &Counts) -> Self {
        let mut result = Self::new(id, "operation", Some(recorded.clone()));
        result.judgement = judge(result.recorded.as_ref(), None, None);
        let note = "the baseline has numbers for it, but there is no such scenario";
        result.notes.push(note.to_owned());
        result
    }

    /// Whether a baseline must not hold this result.
    #[must_use]
    pub fn is_unfit(&self) -> bool {
        let verdict = self.judgement.verdict;
        matches!(
            verdict,
            Verdict::Leaked | Verdict::Nondeterministic | Verdict::Blind | Verdict::Failed
        ) || (self.measured.is_none() && verdict != Verdict::Stale)
    }
}
