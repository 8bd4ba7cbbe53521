use std::collections::BTreeMap;
use std::time::Duration;

use baselines::ratios::{self, Ratios};
use baselines::{Verdict, verdict};

use super::row::{Pair, RatioRow, Refusal};
use crate::criterion_data::Measurements;

/// Kinds of benchmark that are floors: raw TCP, and a copy in memory for benchmarks without a socket.
const FLOORS: [&str; 2] = ["tcp", "memcpy"];

/// Longest time between a benchmark and its floor. They run seconds apart; a floor of another run was measured while the
/// machine did other things.
pub(super) const SAME_RUN: Duration = Duration::from_secs(15 * 60);

/// Selects benchmarks by their ids.
#[derive(Clone, Debug, Default)]
pub struct Filter(pub Vec<String>);

impl Filter {
    /// Whether `id` contains one of the words; every id without words.
    #[must_use]
    pub fn admits(&self, id: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|word| id.contains(word.as_str()))
    }
}

/// Judges every benchmark that is measured, recorded or both, sorted by id.
#[must_use]
pub fn judge(recorded: &Ratios, measurements: &Measurements, filter: &Filter) -> Vec<RatioRow> {
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
    let mut rows: Vec<_> = ratios::judge(&recorded, &measured)
        .into_iter()
        .filter(|row| !refusals.contains_key(&row.id))
        .map(|row| RatioRow {
            measured: pairs.get(&row.id).cloned(),
            id: row.id,
            recorded: row.recorded,
            refused: None,
            verdict: row.verdict,
        })
        .collect();
    rows.extend(refusals.into_iter().map(|(id, refusal)| RatioRow {
        measured: None,
        recorded: recorded.get(&id).cloned(),
        refused: Some(refusal),
        verdict: Verdict::NotComparable,
        id,
    }));
    rows.sort_by(|a, b| a.id.cmp(&b.id));
    rows
}

/// The exit code for these rows.
#[must_use]
pub fn exit_code(rows: &[RatioRow]) -> u8 {
    verdict::exit_code(rows.iter().map(|row| row.verdict))
}

/// The benchmark with its floor; `None` if it is a floor.
fn pair(id: &str, measurements: &Measurements) -> Result<Option<Pair>, Refusal> {
    let mut segments = id.split('/');
    let (Some(group), Some(function), Some(parameter), None) =
        (segments.next(), segments.next(), segments.next(), segments.next())
    else {
        return Err(Refusal::NotAnId);
    };
    // `text_64b_x16` is a kind and a shape. A benchmark and its floor differ in the kind only.
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
