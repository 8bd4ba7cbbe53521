//! Criterion's results, read strictly.
//!
//! The format of the files is not documented, so unknown, missing and non-positive values are refused. Only `new/` is
//! read: every run replaces `base/`, and `change/` neither names what it compares with nor has a verdict.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fmt, fs, io};

use baselines::Verdict;
use bench_kit::statistics::median;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Every benchmark found, by its `full_id`: criterion shortens and rewrites the path.
pub type Measurements = BTreeMap<String, Measurement>;

/// The last result of one benchmark.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measurement {
    /// Median of the samples' times per iteration, in nanoseconds; above 0.
    pub median_ns: f64,
    /// When the result was written.
    pub taken: SystemTime,
}

/// Why there are no measurements.
#[derive(Debug)]
pub enum Error {
    /// No benchmark has run. Holds criterion's folder.
    Missing(PathBuf),
    /// The files cannot be read, or are not what criterion 0.8 writes. Holds the message.
    Refused(String),
}

impl Error {
    /// What the error means for the run.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Missing(_) => Verdict::Missing,
            Self::Refused(_) => Verdict::Failed,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(root) => {
                let root = root.display();
                write!(f, "no criterion results in {root}; take them with cargo bench -p benches")
            }
            Self::Refused(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

/// Reads every `new/` below `root`, which is criterion's folder (`target/criterion`).
///
/// # Errors
///
/// See [`Error`]. One refused file, or an id that occurs twice, fails the whole.
pub fn read(root: &Path) -> Result<Measurements, Error> {
    let mut measurements = Measurements::new();
    if root.is_dir() {
        walk(root, &mut measurements)?;
    }
    if measurements.is_empty() {
        return Err(Error::Missing(root.to_owned()));
    }
    Ok(measurements)
}

fn walk(folder: &Path, measurements: &mut Measurements) -> Result<(), Error> {
    let io = |error| unreadable(folder, &error);
    for entry in fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        if !entry.file_type().map_err(io)?.is_dir() {
            continue;
        }
        let path = entry.path();
        // A group or a function may be called `new` too; only a result contains files.
        if entry.file_name() == "new" && FILES.iter().any(|file| path.join(file).exists()) {
            let (id, measurement) = read_result(&path)?;
            if measurements.insert(id.clone(), measurement).is_some() {
                return Err(changed(&path, format!("a second result for {id:?}")));
            }
        } else {
            walk(&path, measurements)?;
        }
    }
    Ok(())
}

const BENCHMARK: &str = "benchmark.json";
const ESTIMATES: &str = "estimates.json";
const SAMPLE: &str = "sample.json";
const FILES: [&str; 3] = [BENCHMARK, ESTIMATES, SAMPLE];

fn read_result(folder: &Path) -> Result<(String, Measurement), Error> {
    let (benchmark, _) = read_file::<Benchmark>(&folder.join(BENCHMARK))?;
    let (sample, taken) = read_file::<Sample>(&folder.join(SAMPLE))?;
    let (estimates, _) = read_file::<Estimates>(&folder.join(ESTIMATES))?;
    let median_ns = sample.median_ns().map_err(|reason| changed(&folder.join(SAMPLE), reason))?;
    let estimated = estimates.median.point_estimate;
    // Both are the median of the same quotients. They differ if criterion changes the meaning of either.
    if (estimated / median_ns - 1.0).abs() > 1e-6 || !estimated.is_finite() {
        let reason = format!("its median is {estimated} ns, the samples' is {median_ns} ns");
        return Err(changed(&folder.join(ESTIMATES), reason));
    }
    Ok((benchmark.full_id, Measurement { median_ns, taken }))
}

fn read_file<T: DeserializeOwned>(path: &Path) -> Result<(T, SystemTime), Error> {
    let read = || Ok((fs::read(path)?, fs::metadata(path)?.modified()?));
    let (text, modified) = read().map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => changed(path, "it is missing"),
        _ => unreadable(path, &error),
    })?;
    let value = serde_json::from_slice(&text).map_err(|error| changed(path, error))?;
    Ok((value, modified))
}

fn changed(path: &Path, reason: impl fmt::Display) -> Error {
    Error::Refused(format!(
        "criterion's format changed: {}: {reason}; if the file is only truncated, rm -r its benchmark's folder and run \
         cargo bench -p benches",
        path.display()
    ))
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    let path = path.display();
    Error::Refused(format!("cannot read {path}: {error}; check its permissions with ls -ld {path}"))
}

// Unread fields are declared so that a missing or renamed one is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "declared so that an unknown field is noticed")]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
    throughput: Option<Throughput>,
    full_id: String,
    directory_name: String,
    title: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "declared so that an unknown variant is noticed")]
enum Throughput {
    Bits(u64),
    Bytes(u64),
    BytesDecimal(u64),
    Elements(u64),
    ElementsAndBytes { elements: u64, bytes: u64 },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "declared so that an unknown field is noticed")]
struct Estimates {
    mean: Estimate,
    median: Estimate,
    median_abs_dev: Estimate,
    slope: Option<Estimate>,
    std_dev: Estimate,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "declared so that an unknown field is noticed")]
struct Estimate {
    confidence_interval: ConfidenceInterval,
    point_estimate: f64,
    standard_error: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "declared so that an unknown field is noticed")]
struct ConfidenceInterval {
    confidence_level: f64,
    lower_bound: f64,
    upper_bound: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "declared so that an unknown field is noticed")]
struct Sample {
    sampling_mode: SamplingMode,
    /// Iterations of each sample.
    iters: Vec<f64>,
    /// Nanoseconds of each sample, for all its iterations together.
    times: Vec<f64>,
}

#[derive(Deserialize)]
enum SamplingMode {
    Linear,
    Flat,
}

impl Sample {
    fn median_ns(&self) -> Result<f64, String> {
        let (iters, times) = (&self.iters, &self.times);
        if iters.len() != times.len() || times.is_empty() {
            return Err(format!("{} iters and {} times", iters.len(), times.len()));
        }
        if let Some(number) = iters.iter().chain(times).find(|number| **number <= 0.0) {
            return Err(format!("{number} is not a number above 0"));
        }
        let each: Vec<f64> = times.iter().zip(iters).map(|(time, iters)| time / iters).collect();
        median(&each).ok_or_else(|| "no samples".to_owned())
    }
}

#[cfg(test)]
mod tests;
