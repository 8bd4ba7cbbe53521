//! The parts of `report.json` that are read; the rest is computed again.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::view::{Counts, Second};
use crate::summary::Figures;
use load_plan::metrics::{Distribution, Sample, Tally, Timing};
use load_plan::model::{ErrorSample, Interval, Run, SCHEMA, TargetAllocations};
use load_plan::outcome::{Ending, Fault};
use load_plan::profile::Profile;

#[derive(Deserialize)]
pub(super) struct Saved {
    run: Run,
    profile: Profile,
    overall: SavedTotals,
    intervals: Vec<Second<Interval, Distribution>>,
    details: Vec<ErrorSample>,
    allocations: Option<TargetAllocations>,
    before: Counts,
}

/// A copy of the counts of all intervals, by which a damaged file is recognised.
#[derive(Deserialize)]
pub(super) struct SavedTotals {
    counts: Counts,
    timings: BTreeMap<Timing, Distribution>,
}

impl Saved {
    /// The run without buckets, and what the report says of all of it.
    pub(super) fn into_run(self) -> (Run, SavedTotals) {
        let run = Run {
            schema: SCHEMA,
            profile: self.profile,
            before: self.before.into_tally(),
            intervals: self.intervals.into_iter().map(Second::into_interval).collect(),
            error_samples: self.details,
            allocations: self.allocations,
            ..self.run
        };
        (run, self.overall)
    }
}

impl SavedTotals {
    /// Whether counts, and numbers of samples, are those of `figures`.
    pub(super) fn matches(self, figures: &Figures) -> bool {
        let samples = |timing| self.timings.get(&timing).map_or(0, |of| of.count);
        self.counts.into_tally() == figures.counts
            && Timing::ALL.into_iter().all(|of| samples(of) == figures.timing(of).count)
    }
}

impl Counts {
    fn into_tally(self) -> Tally {
        let ended = |ending| self.endings.get(&ending).copied().unwrap_or_default();
        let faulty = |fault| self.faults.get(&fault).copied().unwrap_or_default();
        Tally { endings: Ending::ALL.map(ended), faults: Fault::ALL.map(faulty), ..self.tally }
    }
}

impl Second<Interval, Distribution> {
    fn into_interval(mut self) -> Interval {
        let timings = Timing::ALL.map(|timing| self.timings.remove(&timing).unwrap_or_default());
        let sample = Sample { counts: self.counts.into_tally(), timings };
        Interval { sample, ..self.interval }
    }
}
