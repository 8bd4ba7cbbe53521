use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use baselines::Verdict;
use baselines::ratios::{Ratio, Recorded};

use super::judge::RatioRow;

/// What recording a run changes in the baseline.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// The baseline afterwards.
    pub recorded: Recorded,
    /// Ids whose limit went up, with the ratio before and after.
    pub loosened: Vec<(String, f64, f64)>,
    /// Ids that the run did not measure and that the baseline keeps.
    pub kept: BTreeSet<String>,
    /// Ids that the run did not measure and that were removed.
    pub pruned: BTreeSet<String>,
}

/// Replaces the ratios of `rows` that were measured on `machine`. Other ratios stay, but with `prune` stale rows are
/// removed. `tolerance` is for all replaced ratios; without it each keeps its own, and a new one is not judged.
///
/// # Errors
///
/// If ratios of another machine would stay beside those of this one.
pub fn update(
    before: &Recorded,
    machine: &str,
    rows: &[RatioRow],
    tolerance: Option<f64>,
    why: &str,
    prune: bool,
) -> Result<Update> {
    let mut update = Update::default();
    update.recorded.machine = machine.to_owned();
    update.recorded.ratios.clone_from(&before.ratios);
    let ratios = &mut update.recorded.ratios;
    let mut replaced = BTreeSet::new();
    for RatioRow { id, measured, recorded, verdict } in rows {
        let Some(measured) = measured else {
            if prune && *verdict == Some(Verdict::Stale) {
                ratios.remove(id);
                update.pruned.insert(id.clone());
            } else {
                update.kept.insert(id.clone());
            }
            continue;
        };
        let ratio = rounded(measured.estimate.ratio);
        let tolerance = tolerance.or_else(|| recorded.as_ref()?.tolerance);
        let limit =
            |ratio: f64, tolerance: Option<f64>| ratio * (1.0 + tolerance.unwrap_or(f64::INFINITY));
        if let Some(before) = recorded
            && limit(ratio, tolerance) > limit(before.ratio, before.tolerance)
        {
            update.loosened.push((id.clone(), before.ratio, ratio));
        }
        ratios.insert(id.clone(), Ratio { ratio, tolerance, why: why.to_owned() });
        replaced.insert(id);
    }
    let others = ratios.keys().filter(|id| !replaced.contains(id)).count();
    ensure!(
        others == 0 || before.machine == machine,
        "not recorded: {others} other ratios are of {:?}, and this is {machine:?}; measure all of them, or remove them \
         with --prune",
        before.machine
    );
    Ok(update)
}

/// Four digits behind the point, because a ratio repeats to a percent at best. Above 0, because a baseline refuses 0.
fn rounded(ratio: f64) -> f64 {
    ((ratio * 10_000.0).round() / 10_000.0).max(0.0001)
}
