use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::super::{directory, format, json};
use crate::summary::{Figures, Summary};
use load_plan::model::Run;
use load_plan::units;

/// A number, if there is one, and how it is shown.
pub(super) type Told = (Option<f64>, String);

/// One of two reports.
#[derive(Clone, Debug)]
pub struct Side {
    pub(super) name: String,
    pub(super) report: Value,
    pub(super) run: Run,
    pub(super) figures: Figures,
    has_buckets: bool,
}

impl Side {
    /// Reads the folder that `--out` wrote, or a `report.json` without the other files.
    ///
    /// # Errors
    ///
    /// If a file is missing, damaged or no report.
    pub fn read(path: &Path) -> Result<Self> {
        let is_folder = path.is_dir();
        let file = if is_folder { path.join(directory::JSON) } else { path.to_owned() };
        let text = fs::read_to_string(&file).with_context(|| {
            let file = file.display();
            format!("cannot read {file}; name the folder of --out, or a report.json")
        })?;
        let of_file = || {
            format!("{} is no report; name the folder of --out, or a report.json", file.display())
        };
        let run = match is_folder {
            true => directory::read(path)?,
            false => json::parse(&text).with_context(of_file)?,
        };
        let report = serde_json::from_str(&text).with_context(of_file)?;
        let figures = Summary::of(&run).overall;
        let name = path.display().to_string();
        Ok(Self { name, report, run, figures, has_buckets: is_folder })
    }

    pub(super) fn verdict(&self) -> String {
        self.report["verdict"].as_str().unwrap_or(format::NONE).to_uppercase()
    }

    /// Whether the figures may not be those of the target, or not of all of the load.
    pub(super) fn is_doubtful(&self) -> bool {
        !["PASS", "FAIL"].contains(&self.verdict().as_str())
    }

    /// The percentile of a heading such as `p99.9`. Without buckets, only those that the report has are known.
    pub(super) fn percentile(&self, heading: &str) -> Told {
        let latency = &self.figures.latency;
        if self.has_buckets {
            let ns = format::quantile(heading).and_then(|quantile| latency.quantile_ns(quantile));
            return (ns.map(|ns| ns as f64), format::spread(latency, heading));
        }
        let reported = &self.report["overall"]["latency"];
        let usual = usual(heading).and_then(|key| reported[key].as_f64());
        told(usual.or_else(|| reported["percentiles_ns"][heading].as_f64()))
    }

    /// `mean` or `max`.
    pub(super) fn time(&self, heading: &str) -> Told {
        let latency = &self.figures.latency;
        let ns = match heading {
            "max" => latency.greatest_ns().map(|ns| ns as f64),
            _ => latency.mean_ns(),
        };
        (ns, format::spread(latency, heading))
    }

    pub(super) fn rate(&self) -> Told {
        let rate = self.figures.per_s(self.figures.held.received);
        (rate, format::rate(rate))
    }

    pub(super) fn errors(&self) -> Told {
        let errors = self.figures.counts.errors();
        (Some(errors as f64), format::count(errors))
    }
}

/// The key of a percentile that every report has.
fn usual(heading: &str) -> Option<&'static str> {
    Some(match heading {
        "p50" => "p50_ns",
        "p90" => "p90_ns",
        "p95" => "p95_ns",
        "p99" => "p99_ns",
        "p99.9" => "p999_ns",
        "p99.99" => "p9999_ns",
        _ => return None,
    })
}

fn told(ns: Option<f64>) -> Told {
    (ns, ns.map_or_else(|| format::NONE.to_owned(), units::time))
}
