use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use baselines::ratios::{self, Estimate, Ratio, Recorded};
use baselines::{Verdict, verdict};
use bench_kit::statistics::{hodges_lehmann, median, walsh_interval};

use crate::pairs::{Pair, Pairs};

/// Confidence of the interval of a ratio.
const CONFIDENCE: f64 = 0.99;

/// Selects benchmarks by their ids.
#[derive(Clone, Debug, Default)]
pub struct Filter(pub Vec<String>);

impl Filter {
    /// Whether `id` contains one of the words; every id without words.
    #[must_use]
    pub fn admits(&self, id: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|word| id.contains(word.as_str()))
    }

    /// A regular expression for criterion that matches what the filter admits; `None` if that is everything.
    #[must_use]
    pub fn pattern(&self) -> Option<String> {
        let escaped = |word: &String| {
            word.chars()
                .flat_map(|char| {
                    (!char.is_alphanumeric()).then_some('\\').into_iter().chain([char])
                })
                .collect::<String>()
        };
        let words: Vec<String> = self.0.iter().map(escaped).collect();
        (!words.is_empty()).then(|| words.join("|"))
    }
}

/// What the rounds of a run say about one benchmark.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Time of the benchmark, in nanoseconds per iteration: the median of the rounds.
    pub median_ns: f64,
    /// Time of the floor.
    pub floor_ns: f64,
    /// The ratio of the two.
    pub estimate: Estimate,
}

/// One benchmark: the measured times, the recorded ratio, and the verdict.
#[derive(Clone, Debug)]
pub struct RatioRow {
    /// The criterion id.
    pub id: String,
    /// The result and its floor.
    pub measured: Option<Measured>,
    /// What the baseline contains.
    pub recorded: Option<Ratio>,
    /// The outcome; `None` if the ratio is not judged.
    pub verdict: Option<Verdict>,
}

/// Judges every benchmark that is measured, recorded or both, sorted by id. `machine` is where the rounds were measured;
/// ratios that another one recorded are not comparable.
///
/// # Errors
///
/// If a round lacks a benchmark of another one.
pub fn judge(
    recorded: &Recorded,
    machine: &str,
    rounds: &[Pairs],
    filter: &Filter,
) -> Result<Vec<RatioRow>> {
    let measured = measured(rounds, filter)?;
    let is_other = recorded.machine != machine;
    let recorded = recorded.ratios.iter().filter(|(id, _)| filter.admits(id));
    let recorded = recorded.map(|(id, ratio)| (id.clone(), ratio.clone())).collect();
    let estimates = measured.iter().map(|(id, one)| (id.clone(), one.estimate)).collect();
    let judged = ratios::judge(&recorded, &estimates);
    Ok(judged
        .into_iter()
        .map(|row| RatioRow {
            measured: measured.get(&row.id).copied(),
            verdict: match (&row.recorded, row.measured) {
                (Some(_), Some(_)) if is_other => Some(Verdict::NotComparable),
                _ => row.verdict,
            },
            id: row.id,
            recorded: row.recorded,
        })
        .collect())
}

/// The exit code for these rows. Rows that are not judged do not make a pass.
#[must_use]
pub fn exit_code(rows: &[RatioRow]) -> u8 {
    verdict::exit_code(rows.iter().filter_map(|row| row.verdict))
}

fn measured(rounds: &[Pairs], filter: &Filter) -> Result<BTreeMap<String, Measured>> {
    let ids = rounds.iter().flat_map(|round| round.keys()).filter(|id| filter.admits(id));
    let ids: std::collections::BTreeSet<_> = ids.collect();
    ids.into_iter().map(|id| Ok((id.clone(), of(id, rounds)?))).collect()
}

fn of(id: &str, rounds: &[Pairs]) -> Result<Measured> {
    let pairs: Vec<&Pair> = rounds.iter().filter_map(|round| round.get(id)).collect();
    ensure!(
        pairs.len() == rounds.len(),
        "{id} was measured in {} of {} rounds; measure again",
        pairs.len(),
        rounds.len()
    );
    let all = |of: fn(&Pair) -> f64| pairs.iter().map(|pair| of(pair)).collect::<Vec<f64>>();
    let logs = all(|pair| pair.ratio.ln());
    // Too few rounds for the level exclude nothing.
    let interval = walsh_interval(&logs, CONFIDENCE).filter(|found| found.achieved >= CONFIDENCE);
    let (low, high) =
        interval.map_or((f64::MIN_POSITIVE, f64::MAX), |found| (found.low.exp(), found.high.exp()));
    let ratio = hodges_lehmann(&logs).context("no round was measured")?.exp();
    Ok(Measured {
        median_ns: median(&all(|pair| pair.median_ns)).context("no round was measured")?,
        floor_ns: median(&all(|pair| pair.floor_ns)).context("no round was measured")?,
        estimate: Estimate { ratio, low, high },
    })
}
