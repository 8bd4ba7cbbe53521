//! The profiles of these tests, and what their runs must add up to.

use std::fmt;

use load_plan::metrics::{Tally, Timing};
use load_plan::model::{Interval, Phase, Run};

/// One stage of a load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile<'a> {
    /// More lines of `[target]`.
    pub(crate) target: &'a str,
    /// TOML of the pace.
    pub(crate) pace: &'a str,
    pub(crate) timeout: &'a str,
    /// More lines of `[traffic]`, and tables after it.
    pub(crate) traffic: &'a str,
    pub(crate) connections: u32,
    pub(crate) hold: &'a str,
    /// More stages.
    pub(crate) stages: &'a str,
}

impl Default for Profile<'_> {
    fn default() -> Self {
        Self {
            target: "",
            pace: "{ open = { rate = 100 } }",
            timeout: "2s",
            traffic: "",
            connections: 3,
            hold: "1s",
            stages: "",
        }
    }
}

impl fmt::Display for Profile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, pace, timeout, traffic, connections, hold, stages } = self;
        write!(
            f,
            "name = \"test\"\n[target]\n{target}\n\
             [traffic]\npace = {pace}\ntimeout = \"{timeout}\"\n{traffic}\n\
             [[stage]]\nconnections = {connections}\nhold = \"{hold}\"\n{stages}\n"
        )
    }
}

impl Profile<'_> {
    /// The load of one worker.
    pub(crate) fn load(&self) -> load_engine::testing::Load {
        load_engine::testing::Load::new(&self.to_string())
    }
}

/// Everything that was counted.
pub(crate) fn counts(run: &Run) -> Tally {
    run.sum(|_| true).counts
}

/// Times recorded in all holds, in nanoseconds: how many, the smallest and the largest.
pub(crate) fn times(run: &Run, timing: Timing) -> (u64, u64, u64) {
    let sum = run.sum(is_hold);
    let times = sum.timing(timing);
    (times.count, times.min_ns, times.max_ns)
}

/// Whether `interval` is measured.
pub(crate) fn is_hold(interval: &Interval) -> bool {
    interval.phase == Phase::Hold
}

/// Buckets of the times recorded in all holds: the highest time of each, in nanoseconds, and how many fell into it.
pub(crate) fn times_in(run: &Run, timing: Timing) -> Vec<(u64, u64)> {
    run.sum(is_hold).timing(timing).buckets.clone()
}
