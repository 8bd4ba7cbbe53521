//! Results → ratios to the floor → verdicts. Pure: no clock, no files, nothing printed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use baselines::ratios::{self, Ratio, Ratios};
use baselines::{Verdict, verdict};

use crate::criterion_data::Measurements;

mod render;

pub use render::{Format, render};

/// Kinds of member that are a floor: raw TCP, and for what never meets a socket a copy in memory.
const FLOORS: [&str; 2] = ["tcp", "memcpy"];

/// Furthest that a benchmark and its floor may be apart. They run one after the other, seconds apart; a floor from
/// another run met other weather.
const SAME_RUN: Duration = Duration::from_secs(15 * 60);

/// Tolerance of a benchmark that is recorded for the first time; see `baselines/bench/ratios.json` for measured ones.
pub const DEFAULT_TOLERANCE: f64 = 0.5;

/// A benchmark beside its floor.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// Its median, in nanoseconds per iteration.
    pub median_ns: f64,
    /// The floor's.
    pub floor_ns: f64,
}

impl Pair {
    /// How many floors it costs.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.median_ns / self.floor_ns
    }
}

/// Why a benchmark has no ratio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its id is not `group/function/parameter`.
    NotAnId,
    /// No member of its group has its shape and is a floor.
    NoFloor,
    /// It and its floor are of different runs.
    AnotherRun,
}

/// One id, everything known about it, and what follows.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The criterion id.
    pub id: String,
    /// The result beside its floor.
    pub measured: Option<Pair>,
    /// What the baseline holds.
    pub recorded: Option<Ratio>,
    /// Why there is no ratio although there is a result.
    pub refused: Option<Refusal>,
    /// The one outcome.
    pub verdict: Verdict,
}

/// The ids a run is about.
#[derive(Clone, Debug, Default)]
pub struct Filter(pub Vec<String>);

impl Filter {
    /// Whether `id` contains one of the words, or there are none.
    #[must_use]
    pub fn admits(&self, id: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|word| id.contains(word.as_str()))
    }
}

/// Judges every benchmark that is measured, recorded or both, in the order of the ids.
#[must_use]
pub fn judge(recorded: &Ratios, measurements: &Measurements, filter: &Filter) -> Vec<Judgement> {
    let mut pairs = BTreeMap::new();
    let mut refusals = BTreeMap::new();
    for id in measurements.keys().filter(|id| filter.admits(id)) {
        match pair(id, measurements) {
            Ok(Some(pair)) => _ = pairs.insert(id.clone(), pair),
            Ok(None) => {}
            Err(refusal) => _ = refusals.insert(id.clone(), refusal),
        }
    }
    let recorded: Ratios = recorded
        .iter()
        .filter(|(id, _)| filter.admits(id))
        .map(|(id, ratio)| (id.clone(), ratio.clone()))
        .collect();
    let measured = pairs.iter().map(|(id, pair)| (id.clone(), pair.ratio())).collect();
    let mut judgements: Vec<_> = ratios::judge(&recorded, &measured)
        .into_iter()
        .filter(|judged| !refusals.contains_key(&judged.id))
        .map(|judged| Judgement {
            measured: pairs.get(&judged.id).cloned(),
            id: judged.id,
            recorded: judged.recorded,
            refused: None,
            verdict: judged.verdict,
        })
        .collect();
    judgements.extend(refusals.into_iter().map(|(id, refusal)| Judgement {
        measured: None,
        recorded: recorded.get(&id).cloned(),
        refused: Some(refusal),
        verdict: Verdict::NotComparable,
        id,
    }));
    judgements.sort_by(|a, b| a.id.cmp(&b.id));
    judgements
}

/// The exit code of a run with these judgements.
#[must_use]
pub fn exit_code(judgements: &[Judgement]) -> u8 {
    verdict::exit_code(judgements.iter().map(|judged| judged.verdict))
}

/// The benchmark beside its floor; `None` if it is one itself.
fn pair(id: &str, measurements: &Measurements) -> Result<Option<Pair>, Refusal> {
    let mut segments = id.split('/');
    let (Some(group), Some(function), Some(parameter), None) =
        (segments.next(), segments.next(), segments.next(), segments.next())
    else {
        return Err(Refusal::NotAnId);
    };
    // `text_64b_x16`: a kind and a shape. Only the kind differs between a benchmark and its floor.
    let (kind, shape) = function.split_at(function.find('_').unwrap_or(function.len()));
    if FLOORS.contains(&kind) {
        return Ok(None);
    }
    let subject = measurements[id];
    let floor = FLOORS
        .iter()
        .find_map(|floor| measurements.get(&format!("{group}/{floor}{shape}/{parameter}")))
        .ok_or(Refusal::NoFloor)?;
    let apart = subject
        .taken
        .duration_since(floor.taken)
        .unwrap_or_else(|floor_is_later| floor_is_later.duration());
    if apart > SAME_RUN {
        return Err(Refusal::AnotherRun);
    }
    Ok(Some(Pair { median_ns: subject.median_ns, floor_ns: floor.median_ns }))
}

/// What recording a run does to the baseline.
#[derive(Clone, Debug, Default)]
pub struct Update {
    /// The baseline afterwards.
    pub ratios: Ratios,
    /// Ids whose limit went up, with the ratio before and after.
    pub loosened: Vec<(String, f64, f64)>,
    /// Ids that the run did not measure and that stay.
    pub kept: BTreeSet<String>,
    /// Ids that the run did not measure and that are gone.
    pub pruned: BTreeSet<String>,
}

/// Replaces what was measured, and keeps the rest or, with `prune`, drops what is stale among the judged.
#[must_use]
pub fn update(
    recorded: &Ratios,
    judgements: &[Judgement],
    tolerance: Option<f64>,
    why: &str,
    prune: bool,
) -> Update {
    let mut update = Update { ratios: recorded.clone(), ..Update::default() };
    for Judgement { id, measured, recorded, verdict, .. } in judgements {
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

/// Three decimals: a ratio repeats to a few percent at best. Never down to 0, which no baseline takes.
fn rounded(ratio: f64) -> f64 {
    ((ratio * 1000.0).round() / 1000.0).max(0.001)
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnId => {
                "its id is not group/function/parameter; rm -r its folder, or rename it"
            }
            Self::NoFloor => "no tcp or memcpy member of its shape; cargo bench -p benches",
            Self::AnotherRun => "its floor is of another run; cargo bench -p benches",
        })
    }
}

#[cfg(test)]
mod tests;
