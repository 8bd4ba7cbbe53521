//! Results of scenarios that were not measured or must not be recorded.

use baselines::Verdict;
use baselines::alloc::Counts;
use baselines::compare::{Live, judge};
use baselines::suite_report::ScenarioReport;

/// The report of a scenario that did not run yet: failed.
pub(crate) fn unmeasured(unit: &str, recorded: Option<Counts>) -> ScenarioReport {
    ScenarioReport {
        measured: None,
        verdict: Verdict::Failed,
        unit: unit.to_owned(),
        recorded,
        live: Live::default(),
        sites_changed: Vec::new(),
        leaks: Vec::new(),
        notes: Vec::new(),
        wavering: Vec::new(),
        slack: Vec::new(),
    }
}

/// The report of a baseline entry without a scenario.
pub(crate) fn stale(recorded: &Counts) -> ScenarioReport {
    let note = "the baseline has numbers for this id, but there is no such scenario";
    ScenarioReport {
        verdict: judge(Some(recorded), None, None, &[]).verdict,
        notes: vec![note.to_owned()],
        ..unmeasured("operation", Some(recorded.clone()))
    }
}

/// Whether a baseline must not hold this result.
pub(crate) fn is_unfit(
    ScenarioReport { verdict, measured, wavering, .. }: &ScenarioReport,
) -> bool {
    matches!(
        verdict,
        Verdict::Leaked | Verdict::Nondeterministic | Verdict::Blind | Verdict::Failed
    ) || !wavering.is_empty()
        || (measured.is_none() && *verdict != Verdict::Stale)
}
