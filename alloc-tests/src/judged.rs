//! What came of one scenario.

use baselines::Verdict;
use baselines::alloc::Counts;
use baselines::compare::{Judgement, Live, judge};
use baselines::sites::SiteChange;
use baselines::suite_report::Leak;

use crate::Unit;

/// One scenario, measured and judged.
#[derive(Debug)]
pub struct Judged {
    /// The scenario's id.
    pub id: String,
    /// What one of its operations is.
    pub unit: Unit,
    /// The baseline's numbers.
    pub recorded: Option<Counts>,
    /// This run's numbers.
    pub measured: Option<Counts>,
    /// What was left behind.
    pub live: Live,
    /// Verdict and changed metrics.
    pub judgement: Judgement,
    /// What a reader must know beside the numbers.
    pub notes: Vec<String>,
    /// Call sites that changed, the largest change first.
    pub sites: Vec<SiteChange>,
    /// Call sites that left something behind.
    pub leaks: Vec<Leak>,
}

impl Judged {
    /// Of a scenario that was not run yet: failed, until something better is known.
    pub(crate) fn new(id: &str, unit: Unit, recorded: Option<Counts>) -> Self {
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

    /// Whether there is nothing in this that a baseline may hold.
    #[must_use]
    pub fn is_unfit(&self) -> bool {
        let verdict = self.judgement.verdict;
        matches!(
            verdict,
            Verdict::Leaked | Verdict::Nondeterministic | Verdict::Blind | Verdict::Failed
        ) || (self.measured.is_none() && verdict != Verdict::Stale)
    }

    /// A baseline entry that no scenario stands for any more.
    #[must_use]
    pub fn stale(id: &str, recorded: &Counts) -> Self {
        let mut judged = Self::new(id, Unit::Message, Some(recorded.clone()));
        judged.judgement = judge(judged.recorded.as_ref(), None, None);
        judged
            .notes
            .push("the baseline has numbers for it, but there is no such scenario".to_owned());
        judged
    }
}
