//! Benchmark times as ratios to raw TCP in the same run. Absolute times are never compared across machines.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::IgnoredAny};

use crate::{
    Error, Recording, Verdict, file,
    strict::{self, Sorted},
};

/// The version of the file format. A file of another version is not comparable.
pub const SCHEMA: u32 = 1;

/// Criterion id (`echo_latency/text/64B`) to its recorded ratio.
pub type Ratios = BTreeMap<String, Ratio>;

/// The recorded cost of one benchmark.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// Its time divided by the time of raw TCP in the same run; above 0, lower is better.
    pub ratio: f64,
    /// The share by which a run may differ in either direction, 0.25 for a quarter; above 0.
    pub tolerance: f64,
    /// The source of both numbers.
    pub why: String,
}

/// The outcome for one benchmark.
#[derive(Clone, Debug, PartialEq)]
pub struct RatioJudgement {
    /// The criterion id.
    pub id: String,
    /// The recorded ratio, if there is one.
    pub recorded: Option<Ratio>,
    /// The ratio of this run, if the benchmark ran.
    pub measured: Option<f64>,
    /// The one outcome.
    pub verdict: Verdict,
}

/// `<root>/bench/ratios.json`.
pub fn path(root: &Path) -> PathBuf {
    root.join("bench").join("ratios.json")
}

/// Reads the ratios.
///
/// # Errors
///
/// [`Error::NotComparable`] for an unknown key, another schema, keys out of order or repeated, a ratio or a tolerance
/// that is not above 0, an empty reason, a truncated file.
pub fn load(path: &Path) -> Result<Ratios, Error> {
    parse(&file::read(path)?).map_err(|reason| file::refuse(path, reason))
}

/// Replaces the file with the commit of `recording`.
///
/// # Errors
///
/// [`Error::NotComparable`] if [`load`] would refuse the ratios.
pub fn save(path: &Path, ratios: &Ratios, recording: &mut Recording) -> Result<(), Error> {
    let text = render(ratios).map_err(|reason| file::refuse(path, reason))?;
    recording.replace(path, text);
    Ok(())
}

/// Judges every benchmark that is recorded or measured, in the order of the ids.
///
/// The tolerance is a factor: twice as slow is as far away as twice as fast. A measured ratio that is not a number
/// above 0 is [`Verdict::Failed`], because it is no measurement.
pub fn judge(recorded: &Ratios, measured: &BTreeMap<String, f64>) -> Vec<RatioJudgement> {
    let ids: BTreeSet<_> = recorded.keys().chain(measured.keys()).collect();
    ids.into_iter()
        .map(|id| {
            let (recorded, measured) = (recorded.get(id).cloned(), measured.get(id).copied());
            let verdict = verdict(recorded.as_ref(), measured);
            RatioJudgement { id: id.clone(), recorded, measured, verdict }
        })
        .collect()
}

fn verdict(recorded: Option<&Ratio>, measured: Option<f64>) -> Verdict {
    let (recorded, measured) = match (recorded, measured) {
        (_, Some(measured)) if !is_positive(measured) => return Verdict::Failed,
        (None, _) => return Verdict::Missing,
        (Some(_), None) => return Verdict::Stale,
        (Some(recorded), Some(measured)) => (recorded, measured),
    };
    let factor = 1.0 + recorded.tolerance;
    if measured > recorded.ratio * factor {
        Verdict::Regressed
    } else if measured < recorded.ratio / factor {
        Verdict::Improved
    } else {
        Verdict::Pass
    }
}

fn is_positive(number: f64) -> bool {
    number.is_finite() && number > 0.0
}

fn parse(text: &str) -> Result<Ratios, String> {
    let RatioFile { _schema, ratios: Sorted(ratios) } = strict::parse(text, SCHEMA)?;
    check(&ratios)?;
    Ok(ratios)
}

fn render(ratios: &Ratios) -> Result<String, String> {
    check(ratios)?;
    let rows = strict::entries(ratios.iter().map(|(id, ratio)| (id, row(ratio))));
    Ok(strict::render(SCHEMA, &[("ratios", rows)]))
}

fn row(Ratio { ratio, tolerance, why }: &Ratio) -> String {
    let why = strict::quote(why);
    // Debug prints the shortest digits that read back as the same number, with a point in whole numbers.
    format!("{{\"ratio\": {ratio:?}, \"tolerance\": {tolerance:?}, \"why\": {why}}}")
}

fn check(ratios: &Ratios) -> Result<(), String> {
    ratios.iter().try_for_each(|(id, Ratio { ratio, tolerance, why })| {
        for (name, number) in [("ratio", *ratio), ("tolerance", *tolerance)] {
            if !is_positive(number) {
                return Err(format!("{id:?}: {name} {number:?} is not a number above 0"));
            }
        }
        if why.trim().is_empty() { Err(format!("{id:?}: why is empty")) } else { Ok(()) }
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RatioFile {
    #[serde(rename = "schema")]
    _schema: IgnoredAny,
    ratios: Sorted<Ratio>,
}

#[cfg(test)]
mod tests;
