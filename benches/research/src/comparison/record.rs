//! A comparison whose right answer is known, as a line of the records file.

use baselines::Verdict;
use compare::model::TimingRow;
use serde::{Deserialize, Serialize};

/// What head was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Head {
    /// A program like base.
    Same,
    /// Slower by this share of the first row of each traffic.
    Slower(f64),
    /// For each row another one, slower by what the row says it sees.
    Seen,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) head: Head,
    /// Processors that spinning threads kept busy.
    pub(super) busy: u32,
    /// Comparisons that share base and its copy, this one included.
    #[serde(default = "alone")]
    pub(super) together: u32,
    /// Wall-clock duration in seconds; 0 where comparisons shared their rounds.
    pub(super) seconds: f64,
    pub(super) rows: Vec<Row>,
}

const fn alone() -> u32 {
    1
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) id: String,
    /// The number of the row's traffic: a slowdown moves all rows of one traffic.
    pub(super) workload: usize,
    /// The word of a [`Verdict`].
    pub(super) verdict: String,
    /// The change that was made, as a share of this row's base.
    pub(super) injected: f64,
    /// Estimated change, as a share.
    pub(super) effect: f64,
    /// Estimated change of the null control, as a share.
    pub(super) null: f64,
    /// Smallest change, as a share, that the row says it would have called.
    pub(super) detectable: f64,
}

impl Row {
    pub(super) fn new(row: &TimingRow, workload: usize, injected: f64) -> Self {
        Self {
            id: row.id.clone(),
            workload,
            verdict: row.verdict.as_str().to_owned(),
            injected,
            effect: row.effect,
            null: row.null,
            detectable: row.detectable,
        }
    }

    pub(super) fn is(&self, verdict: Verdict) -> bool {
        self.verdict == verdict.as_str()
    }

    /// Whether the row reported a change, in either direction.
    pub(super) fn is_alarm(&self) -> bool {
        self.is(Verdict::Regressed) || self.is(Verdict::Improved)
    }
}
