use std::collections::BTreeSet;

use baselines::Verdict;
use baselines::ratios::{Ratio, Ratios};

use super::row::RatioRow;

/// Tolerance of a benchmark that is recorded for the first time. It is a guess: measured tolerances are given with
/// `--tolerance` and kept in `baselines/bench/ratios.json`.
pub const DEFAULT_TOLERANCE: f64 = 0.5;

/// What recording a run changes in the baseline.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// The baseline afterwards.
    pub ratios: Ratios,
    /// Ids whose limit went up, with the ratio before and after.
    pub loosened: Vec<(String, f64, f64)>,
    /// Ids that the run did not measure and that the baseline keeps.
    pub kept: BTreeSet<String>,
    /// Ids that the run did not measure and that were removed.
    pub pruned: BTreeSet<String>,
}

/// Replaces the ratios of `rows` that were measured. Other ratios stay, but with `prune` stale rows are removed.
/// `tolerance` is for all replaced ratios; without it each keeps its own, or gets [`DEFAULT_TOLERANCE`].
#[must_use]
pub fn update(
    recorded: &Ratios,
    rows: &[RatioRow],
    tolerance: Option<f64>,
    why: &str,
    prune: bool,
) -> Update {
    let mut update = Update { ratios: recorded.clone(), ..Update::default() };
    for RatioRow { id, measured, recorded, verdict, .. } in rows {
        let Some(pair) = measured else {
            if prune && *verdict == Verdict::Stale {
                update.ratios.remove(id);
                update.pruned.insert(id.clone());
            } else {
                update.kept.insert(id.clone());
            }
            continue;
        };
        let ratio = rounded(pair.ratio());
        let before = recorded.as_ref();
        let tolerance = tolerance
            .or_else(|| before.map(|before| before.tolerance))
            .unwrap_or(DEFAULT_TOLERANCE);
        if let Some(before) = before
            && ratio * (1.0 + tolerance) > before.ratio * (1.0 + before.tolerance)
        {
            update.loosened.push((id.clone(), before.ratio, ratio));
        }
        update.ratios.insert(id.clone(), Ratio { ratio, tolerance, why: why.to_owned() });
    }
    update
}

/// Three decimals, because a ratio repeats to a few percent at best. At least 0.001, because a baseline refuses 0.
fn rounded(ratio: f64) -> f64 {
    ((ratio * 1000.0).round() / 1000.0).max(0.001)
}
