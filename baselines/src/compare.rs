//! The comparison of recorded and measured counts. Pure: no files, no clock, no printing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    Verdict,
    alloc::{Counts, Metric, Provenance},
};

/// Judges one scenario.
///
/// Counts must be equal: one block more is a regression, one block less an improvement that has to be recorded. If one
/// metric grew and another shrank, the scenario regressed: only a person may accept such a trade.
///
/// - Live blocks, bytes, descriptors or tasks are [`Verdict::Leaked`], with or without a baseline.
/// - Different operations, or a count on one side only, are [`Verdict::NotComparable`], without any changes. System calls
///   that this machine does not measure are left out.
/// - A `limit` replaces equality of blocks, and nothing else. All changes are listed in any case.
/// - A metric with a [`Slack`] may differ by as much, both ways.
/// - Repeats that disagree are [`Verdict::Nondeterministic`], unless something leaked, or even the repeat that cost least
///   regressed: a doubt hides neither.
pub fn judge(
    recorded: Option<&Counts>,
    measured: Option<&Measurement>,
    limit: Option<Limit>,
    slack: &[Slack],
) -> Judgement {
    let bare = |verdict| Judgement { verdict, changes: Vec::new() };
    let (counts, live, wavers) = match measured {
        Some(Measurement::Counted { counts, live, wavers }) => (counts, live, *wavers),
        Some(Measurement::Blind) => return bare(Verdict::Blind),
        Some(Measurement::Failed) => return bare(Verdict::Failed),
        None if recorded.is_some() => return bare(Verdict::Stale),
        None => return bare(Verdict::Missing),
    };
    let judgement = judge_counts(recorded, counts, limit, slack);
    if !live.is_zero() {
        Judgement { verdict: Verdict::Leaked, ..judgement }
    } else if wavers && judgement.verdict != Verdict::Regressed {
        bare(Verdict::Nondeterministic)
    } else {
        judgement
    }
}

/// The result of a run of one scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one for each scenario")]
pub enum Measurement {
    /// The scenario was counted.
    Counted {
        /// The totals at N and 2N: the least of all repeats.
        counts: Counts,
        /// Left alive at the end.
        live: Live,
        /// Whether repeats disagreed by more than the slack.
        wavers: bool,
    },
    /// A canary was counted wrong.
    Blind,
    /// The scenario could not run.
    Failed,
}

/// Left alive after a run, when server, client and runtime are gone. It must be 0, so it is never stored.
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
    /// Bytes mapped past the allocator and not unmapped: those at 2N beyond those at N.
    #[serde(rename = "live_mapped")]
    pub mapped: u64,
}

impl Live {
    /// Whether the leak check passes.
    pub fn is_zero(self) -> bool {
        self == Self::default()
    }
}

/// A difference that a scenario tolerates in one metric, between runs and from the baseline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// The metric.
    pub metric: Metric,
    /// The largest difference of totals, at N and at 2N.
    pub amount: u64,
    /// Why the counts cannot be exact, for a reader of the report.
    pub reason: String,
}

/// The slack of `metric`: 0, if it has none.
pub fn slack_of(slack: &[Slack], metric: Metric) -> u64 {
    slack.iter().find(|one| one.metric == metric).map_or(0, |one| one.amount)
}

/// An upper limit chosen by a person (`MAX_ALLOCS_ALLOWED_<scenario>`): heap blocks at N and at 2N, inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub [u64; 2]);

/// The verdict on one scenario, and the changes behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The metrics that differ, in the order of [`Metric::ALL`].
    pub changes: Vec<Change>,
}

/// A metric that differs at N, at 2N or at both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The metric.
    pub metric: Metric,
    /// The totals in the baseline, at N and 2N.
    pub recorded: [u64; 2],
    /// The totals of this run, at N and 2N.
    pub measured: [u64; 2],
}

impl Change {
    /// The change in the cost of one operation; 0 if only the fixed cost changed, `None` if `ops` do not grow.
    ///
    /// `ops` may be those of either side: they are equal if there is a change.
    pub fn per_op_delta(&self, ops: [u64; 2]) -> Option<f64> {
        let grown = ops[1].checked_sub(ops[0]).filter(|&ops| ops > 0)?;
        let rise = |totals: [u64; 2]| i128::from(totals[1]) - i128::from(totals[0]);
        Some((rise(self.measured) - rise(self.recorded)) as f64 / grown as f64)
    }

    /// Whether it is more than recorded at N or at 2N.
    pub fn grew(&self) -> bool {
        self.measured[0] > self.recorded[0] || self.measured[1] > self.recorded[1]
    }
}

/// One part of the provenance that differs in each: `rustc 1.94.0 → 1.95.0`, `tungstenite 0.29.0 → 0.30.0`.
pub fn provenance_differences(recorded: &Provenance, current: &Provenance) -> Vec<String> {
    let version = |packages: &BTreeMap<String, String>, name| {
        packages.get(name).cloned().unwrap_or_else(|| "none".to_owned())
    };
    let Provenance { rustc, profile, packages } = recorded;
    let names: BTreeSet<_> = packages.keys().chain(current.packages.keys()).collect();
    let packages = names
        .into_iter()
        .map(|name| (name.as_str(), version(packages, name), version(&current.packages, name)));
    let parts = [
        ("rustc", rustc.clone(), current.rustc.clone()),
        ("profile", profile.clone(), current.profile.clone()),
    ];
    let differing = parts.into_iter().chain(packages).filter(|(_, recorded, now)| recorded != now);
    let sentence = |(name, recorded, now): (&str, String, String)| {
        let [recorded, now] = [without(&recorded, &now), without(&now, &recorded)];
        format!("{name} {recorded} → {now}")
    };
    differing.map(sentence).collect()
}

/// The versions in `these` that are not among `those`; both are joined by commas.
fn without(these: &str, those: &str) -> String {
    let those: BTreeSet<_> = those.split(", ").collect();
    let left: Vec<_> = these.split(", ").filter(|version| !those.contains(version)).collect();
    if left.is_empty() { "none".to_owned() } else { left.join(", ") }
}

fn judge_counts(
    recorded: Option<&Counts>,
    measured: &Counts,
    limit: Option<Limit>,
    slack: &[Slack],
) -> Judgement {
    let beyond = limit
        .is_some_and(|Limit(most)| measured.blocks.iter().zip(most).any(|(got, most)| *got > most));
    let Some(recorded) = recorded else {
        let verdict = if beyond { Verdict::Regressed } else { Verdict::Missing };
        return Judgement { verdict, changes: Vec::new() };
    };
    let Some(changes) = changes(recorded, measured, slack) else {
        return Judgement { verdict: Verdict::NotComparable, changes: Vec::new() };
    };
    let mut exact = changes
        .iter()
        .filter(|change| limit.is_none() || change.metric != Metric::Blocks)
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

/// The metrics that differ by more than their slack, in the order of [`Metric::ALL`]; `None` if the counts cannot be
/// compared.
pub(crate) fn changes(
    recorded: &Counts,
    measured: &Counts,
    slack: &[Slack],
) -> Option<Vec<Change>> {
    // Only system calls may be unknown on a machine; any other count on one side is another scenario.
    let lacks = |&metric: &Metric| match (recorded.get(metric), measured.get(metric)) {
        (None, Some(_)) => true,
        (Some(_), None) => metric != Metric::Calls,
        _ => false,
    };
    if recorded.ops != measured.ops || Metric::ALL.iter().any(lacks) {
        return None;
    }
    let change = |&metric| {
        let (recorded, measured) = (recorded.get(metric)?, measured.get(metric)?);
        let most = slack_of(slack, metric);
        let differs = (0..2).any(|size| measured[size].abs_diff(recorded[size]) > most);
        differs.then_some(Change { metric, recorded, measured })
    };
    Some(Metric::ALL.iter().filter_map(change).collect())
}

#[cfg(test)]
mod tests;
