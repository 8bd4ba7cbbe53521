use std::time::Duration;

use anyhow::{Result, bail, ensure};

use super::{Metric, Unit};
use crate::units::{exact_bytes, exact_duration, parse_bytes, parse_duration};

/// Reads a limit on `metric`, in base units: `10ms`, `1%`, `1000`, `16KiB`, `1000/s`, `100Mbps`.
pub(super) fn parse(metric: Metric, text: &str) -> Result<f64> {
    let text = text.trim();
    let unit = metric.unit();
    let limit = match unit {
        Unit::Time => parse_duration(text).ok().map(|time| time.as_nanos() as f64),
        // A bare 1 could mean 1 % or 100 %.
        Unit::Share if text == "0" => Some(0.0),
        Unit::Share => text.strip_suffix('%').and_then(percent),
        Unit::Count => number(text),
        Unit::Bytes => parse_bytes(text)
            .map(|bytes| bytes as f64)
            .ok()
            .or_else(|| number(text.strip_suffix('B').unwrap_or(text))),
        Unit::PerSecond => number(text.strip_suffix("/s").unwrap_or(text)),
        Unit::Mbps => number(text.strip_suffix("Mbps").unwrap_or(text)),
    };
    let Some(limit) = limit else {
        bail!(
            "{metric} is {}; write its limit as \"{}\", not as \"{text}\"",
            words(unit),
            unit.example()
        );
    };
    ensure!(
        limit >= 0.0 && limit.is_finite(),
        "the limit of {metric} is {text}; write a number of 0 or more"
    );
    Ok(limit)
}

/// Writes what [`parse`] reads. Times are whole nanoseconds.
pub(super) fn write(metric: Metric, limit: f64) -> String {
    match metric.unit() {
        Unit::Time => exact_duration(Duration::from_nanos(limit.round() as u64)),
        Unit::Share => format!("{}%", in_percent(limit)),
        Unit::Count => limit.to_string(),
        Unit::Bytes if limit.fract() == 0.0 => exact_bytes(limit as usize),
        Unit::Bytes => format!("{limit}B"),
        Unit::PerSecond => format!("{limit}/s"),
        Unit::Mbps => format!("{limit}Mbps"),
    }
}

const fn words(unit: Unit) -> &'static str {
    match unit {
        Unit::Time => "a time",
        Unit::Share => "a share",
        Unit::Count => "a number",
        Unit::Bytes => "a size",
        Unit::PerSecond => "a rate",
        Unit::Mbps => "a bit rate",
    }
}

/// A decimal number with an optional sign, point and `_` between digits, but without exponent; not infinite.
fn number(text: &str) -> Option<f64> {
    let text = text.trim().replace('_', "");
    let is_plain = text.chars().all(|c| c.is_ascii_digit() || "+-.".contains(c));
    text.parse().ok().filter(|_| is_plain)
}

fn percent(text: &str) -> Option<f64> {
    // A division by 100 would round some values; shifting the decimal point does not.
    number(text).and_then(|_| format!("{}e-2", text.trim().replace('_', "")).parse().ok())
}

/// The shortest decimal number that [`percent`] reads as `share`.
fn in_percent(share: f64) -> String {
    (0..17)
        .map(|decimals| format!("{:.decimals$}", share * 100.0))
        .find(|text| percent(text) == Some(share))
        .unwrap_or_else(|| (share * 100.0).to_string())
}
