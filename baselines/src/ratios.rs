//! Benchmark times as ratios to raw TCP in the same run. Absolute times are never compared across machines.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::IgnoredAny};

use crate::{
    Error, Recording, Verdict, file,
    strict::{self, Sorted},
    verdict::BLIND_FROM,
};

/// The version of the file format. A file of another version is not comparable.
pub const SCHEMA: u32 = 2;

/// Criterion id (`echo_latency/text/64B`) to its recorded ratio.
pub type Ratios = BTreeMap<String, Ratio>;

/// The recorded ratios, and where they were measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    /// The processor. Others have another ratio of code to system calls; ratios of another one are not judged.
    pub machine: String,
    /// All ratios.
    pub ratios: Ratios,
}

/// The recorded cost of one benchmark.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// Its time divided by the time of raw TCP in the same run; above 0, lower is better.
    pub ratio: f64,
    /// The share by which a run may differ in either direction, 0.25 for a quarter; above 0. `None`: the ratio does not
    /// repeat well enough to be judged.
    #[serde(deserialize_with = "Option::deserialize")]
    pub tolerance: Option<f64>,
    /// The source of both numbers.
    pub why: String,
}

/// A measured ratio, with the interval that the rounds of the run leave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The middle of the rounds.
    pub ratio: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The outcome for one benchmark.
#[derive(Clone, Debug, PartialEq)]
pub struct RatioJudgement {
    /// The criterion id.
    pub id: String,
    /// The recorded ratio, if there is one.
    pub recorded: Option<Ratio>,
    /// The ratio of this run, if the benchmark ran.
    pub measured: Option<Estimate>,
    /// The one outcome; `None` if the ratio is recorded as one that is not judged.
    pub verdict: Option<Verdict>,
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
pub fn load(path: &Path) -> Result<Recorded, Error> {
    parse(&file::read(path)?).map_err(|reason| file::refuse(path, reason))
}

/// Replaces the file with the commit of `recording`.
///
/// # Errors
///
/// [`Error::NotComparable`] if [`load`] would refuse the ratios.
pub fn save(path: &Path, recorded: &Recorded, recording: &mut Recording) -> Result<(), Error> {
    let text = render(recorded).map_err(|reason| file::refuse(path, reason))?;
    recording.replace(path, text);
    Ok(())
}

/// Judges every benchmark that is recorded or measured, in the order of the ids.
///
/// The tolerance is a factor: twice as slow is as far away as twice as fast. A change has to be beyond it, and its
/// interval has to exclude the recorded ratio. A measured ratio that is not a number above 0 is [`Verdict::Failed`],
/// because it is no measurement; one that could have missed three times the tolerance is [`Verdict::TooNoisy`].
pub fn judge(recorded: &Ratios, measured: &BTreeMap<String, Estimate>) -> Vec<RatioJudgement> {
    let ids: BTreeSet<_> = recorded.keys().chain(measured.keys()).collect();
    ids.into_iter()
        .map(|id| {
            let (recorded, measured) = (recorded.get(id).cloned(), measured.get(id).copied());
            let verdict = verdict(recorded.as_ref(), measured);
            RatioJudgement { id: id.clone(), recorded, measured, verdict }
        })
        .collect()
}

fn verdict(recorded: Option<&Ratio>, measured: Option<Estimate>) -> Option<Verdict> {
    let is_number = |of: &Estimate| [of.ratio, of.low, of.high].into_iter().all(is_positive);
    let (recorded, measured) = match (recorded, measured) {
        (_, Some(measured)) if !is_number(&measured) => return Some(Verdict::Failed),
        (None, _) => return Some(Verdict::Missing),
        (Some(_), None) => return Some(Verdict::Stale),
        (Some(recorded), Some(measured)) => (recorded, measured),
    };
    let tolerance = recorded.tolerance?;
    let change = |ratio: f64| (ratio / recorded.ratio).ln();
    let limit = tolerance.ln_1p();
    let half = (measured.high / measured.low).ln() / 2.0;
    Some(if change(measured.ratio) > limit && change(measured.low) > 0.0 {
        Verdict::Regressed
    } else if change(measured.ratio) < -limit && change(measured.high) < 0.0 {
        Verdict::Improved
    } else if half > (BLIND_FROM * tolerance).ln_1p() {
        Verdict::TooNoisy
    } else {
        Verdict::Pass
    })
}

fn is_positive(number: f64) -> bool {
    number.is_finite() && number > 0.0
}

/// Reads the text of a file.
///
/// # Errors
///
/// The reason why it is refused, as [`load`].
pub fn parse(text: &str) -> Result<Recorded, String> {
    let RatioFile { _schema, machine, ratios: Sorted(ratios) } = strict::parse(text, SCHEMA)?;
    let recorded = Recorded { machine, ratios };
    check(&recorded)?;
    Ok(recorded)
}

/// The text of the file, which [`parse`] reads back.
///
/// # Errors
///
/// The reason why it would be refused.
pub fn render(recorded: &Recorded) -> Result<String, String> {
    check(recorded)?;
    let rows = strict::entries(recorded.ratios.iter().map(|(id, ratio)| (id, row(ratio))));
    Ok(strict::render(SCHEMA, &[("machine", strict::quote(&recorded.machine)), ("ratios", rows)]))
}

fn row(Ratio { ratio, tolerance, why }: &Ratio) -> String {
    let why = strict::quote(why);
    let tolerance = tolerance.map_or_else(|| "null".to_owned(), |share| format!("{share:?}"));
    // Debug prints the shortest digits that read back as the same number, with a point in whole numbers.
    format!("{{\"ratio\": {ratio:?}, \"tolerance\": {tolerance}, \"why\": {why}}}")
}

fn check(Recorded { machine, ratios }: &Recorded) -> Result<(), String> {
    if machine.trim().is_empty() {
        return Err("machine is empty".to_owned());
    }
    ratios.iter().try_for_each(|(id, Ratio { ratio, tolerance, why })| {
        let tolerance = tolerance.map(|tolerance| ("tolerance", tolerance));
        for (name, number) in [("ratio", *ratio)].into_iter().chain(tolerance) {
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
    machine: String,
    ratios: Sorted<Ratio>,
}

#[cfg(test)]
mod tests;
