//! Recorded × measured → judgement. Pure: no files, no clock, no printing.

use serde::{Deserialize, Serialize};

use crate::{
    Verdict,
    alloc::{Counts, Metric, Provenance},
};

/// Judges one scenario.
///
/// Equality both ways: one block more is a regression, one block less an improvement that has to be recorded. Where a
/// metric grew and another shrank, the scenario regressed: a trade is for a person to accept.
///
/// - Anything left alive is [`Verdict::Leaked`], baseline or not.
/// - Other operations, or `held_bytes` on one side only, are [`Verdict::NotComparable`]; then no change is listed.
/// - A `limit` replaces equality for what follows the blocks (blocks, bytes, peak and held bytes); reads and writes
///   stay exact, and without a recorded entry the limit alone decides. The changes are all listed even so.
pub fn judge(
    recorded: Option<&Counts>,
    measured: Option<&Measurement>,
    limit: Option<Limit>,
) -> Judgement {
    let bare = |verdict| Judgement { verdict, changes: Vec::new() };
    let (counts, live) = match measured {
        Some(Measurement::Counted { counts, live }) => (counts, live),
        Some(Measurement::Nondeterministic) => return bare(Verdict::Nondeterministic),
        Some(Measurement::Blind) => return bare(Verdict::Blind),
        Some(Measurement::Failed) => return bare(Verdict::Failed),
        None if recorded.is_some() => return bare(Verdict::Stale),
        None => return bare(Verdict::Missing),
    };
    let judgement = judge_counts(recorded, counts, limit);
    if live.is_zero() { judgement } else { Judgement { verdict: Verdict::Leaked, ..judgement } }
}

/// What a run of one scenario came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measurement {
    /// Every repeat agreed on these counts.
    Counted {
        /// The totals at N and 2N.
        counts: Counts,
        /// What was left at the end.
        live: Live,
    },
    /// The repeats disagreed.
    Nondeterministic,
    /// A canary read wrong.
    Blind,
    /// The scenario could not run.
    Failed,
}

/// What is left after a run, when server, client and runtime are gone. By law nothing is, so it is never stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Live {
    /// Heap blocks.
    #[serde(rename = "live_blocks")]
    pub blocks: u64,
    /// Heap bytes.
    #[serde(rename = "live_bytes")]
    pub bytes: u64,
    /// Open file descriptors beyond those open before the run.
    #[serde(rename = "live_fds")]
    pub fds: u64,
    /// Tasks spawned and not finished.
    #[serde(rename = "live_tasks")]
    pub tasks: u64,
}

impl Live {
    /// Whether the law holds.
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }
}

/// An upper limit that a person chose (`MAX_ALLOCS_ALLOWED_<scenario>`): heap blocks at N, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub u64);

/// The outcome for one scenario and the numbers behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The one outcome.
    pub verdict: Verdict,
    /// The metrics that differ from the recorded ones, in the order of [`Metric::ALL`].
    pub changes: Vec<Change>,
}

/// One metric that differs, at N, at 2N or at both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What differs.
    pub metric: Metric,
    /// The totals in the baseline, at N and 2N.
    pub recorded: [u64; 2],
    /// The totals of this run, at N and 2N.
    pub measured: [u64; 2],
}

impl Change {
    /// By how much the cost of one operation moved; 0 when only the fixed cost did, `None` if `ops` do not grow.
    ///
    /// `ops` are those of either side: they are equal wherever there is a change to speak of.
    pub fn per_op_delta(&self, ops: [u64; 2]) -> Option<f64> {
        let grown = ops[1].checked_sub(ops[0]).filter(|&ops| ops > 0)?;
        let rise = |totals: [u64; 2]| i128::from(totals[1]) - i128::from(totals[0]);
        Some((rise(self.measured) - rise(self.recorded)) as f64 / grown as f64)
    }

    /// More than recorded at N or at 2N, whatever happened at the other.
    pub fn grew(&self) -> bool {
        self.measured[0] > self.recorded[0] || self.measured[1] > self.recorded[1]
    }
}

/// One line for each part of the provenance that differs, as in `rustc: recorded "1.94.0", now "1.95.0"`.
pub fn provenance_differences(recorded: &Provenance, current: &Provenance) -> Vec<String> {
    let parts = [
        ("rustc", &recorded.rustc, &current.rustc),
        ("profile", &recorded.profile, &current.profile),
        ("lockfile", &recorded.lockfile, &current.lockfile),
    ];
    let differing = parts.into_iter().filter(|(_, recorded, now)| recorded != now);
    differing
        .map(|(name, recorded, now)| format!("{name}: recorded {recorded:?}, now {now:?}"))
        .collect()
}

fn judge_counts(recorded: Option<&Counts>, measured: &Counts, limit: Option<Limit>) -> Judgement {
    let beyond = limit.is_some_and(|Limit(most)| measured.blocks[0] > most);
    let Some(recorded) = recorded else {
        let verdict = match limit {
            None => Verdict::Missing,
            Some(_) if beyond => Verdict::Regressed,
            Some(_) => Verdict::Pass,
        };
        return Judgement { verdict, changes: Vec::new() };
    };
    if recorded.ops != measured.ops
        || recorded.held_bytes.is_some() != measured.held_bytes.is_some()
    {
        return Judgement { verdict: Verdict::NotComparable, changes: Vec::new() };
    }
    let changes: Vec<_> =
        Metric::ALL.into_iter().filter_map(|metric| change(metric, recorded, measured)).collect();
    let mut exact = changes
        .iter()
        .filter(|change| limit.is_none() || !follows_blocks(change.metric))
        .peekable();
    let verdict = if exact.peek().is_none() && !beyond {
        Verdict::Pass
    } else if beyond || exact.any(Change::grew) {
        Verdict::Regressed
    } else {
        Verdict::Improved
    };
    Judgement { verdict, changes }
}

fn change(metric: Metric, recorded: &Counts, measured: &Counts) -> Option<Change> {
    let (recorded, measured) = (recorded.get(metric)?, measured.get(metric)?);
    (recorded != measured).then_some(Change { metric, recorded, measured })
}

fn follows_blocks(metric: Metric) -> bool {
    match metric {
        Metric::Blocks | Metric::Bytes | Metric::PeakBytes | Metric::HeldBytes => true,
        Metric::Reads | Metric::Writes => false,
    }
}

#[cfg(test)]
mod tests;
