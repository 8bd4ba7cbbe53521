//! Limits that a person chose: a metric, a comparison and a number. Pure.

mod limit;
mod metric;
mod preset;
mod statistic;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod unit;

use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, Result};

pub use metric::Metric;
pub use preset::Preset;
pub use statistic::Statistic;
pub use unit::Unit;

/// One limit: `latency_p99 < 5 ms` on the command line, `latency_p99 = "< 5ms"` in a profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// The quantity that is limited.
    pub metric: Metric,
    /// The comparison of the measured value with the limit.
    pub op: Op,
    /// In the base unit of [`Metric::unit`]: nanoseconds, a share of 1, a count, bytes, per second or Mbps.
    pub limit: f64,
    /// The preset that contains the limit; `None` for an explicit one.
    pub preset: Option<Preset>,
}

impl Threshold {
    /// An explicit limit.
    #[must_use]
    pub const fn new(metric: Metric, op: Op, limit: f64) -> Self {
        Self { metric, op, limit, preset: None }
    }

    /// Reads `"< 5 ms"`.
    ///
    /// # Errors
    ///
    /// If there is no comparison, or if the limit is not in the unit of the metric.
    pub fn parse(metric: Metric, condition: &str) -> Result<Self> {
        let condition = condition.trim();
        let (op, limit) = Op::split(condition).with_context(|| {
            format!(
                "\"{condition}\" has no comparison; write {metric} = \"< {}\"",
                metric.unit().example()
            )
        })?;
        Ok(Self::new(metric, op, limit::parse(metric, limit)?))
    }

    /// Whether `measured` is within the limit.
    #[must_use]
    pub fn is_met(&self, measured: f64) -> bool {
        self.op.holds(measured, self.limit)
    }

    /// Distance from `measured` to the limit, as a share of the limit; negative if the limit is violated, `None` if it is 0.
    #[must_use]
    pub fn margin(&self, measured: f64) -> Option<f64> {
        if self.limit == 0.0 {
            return None;
        }
        Some(match self.op {
            Op::Lt | Op::Le => (self.limit - measured) / self.limit,
            Op::Gt | Op::Ge => (measured - self.limit) / self.limit,
            Op::Eq => -((measured - self.limit) / self.limit).abs(),
        })
    }

    /// The comparison and the limit, exactly: `< 5ms`.
    #[must_use]
    pub fn condition(&self) -> String {
        format!("{} {}", self.op.symbol(), limit::write(self.metric, self.limit))
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.metric, self.condition())
    }
}

impl FromStr for Threshold {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let at = text.find(['<', '>', '=']).with_context(|| {
            format!("\"{text}\" has no comparison; write a threshold such as \"latency_p99 < 5ms\"")
        })?;
        let (metric, condition) = text.split_at(at);
        Self::parse(metric.trim().parse()?, condition)
    }
}

/// `thresholds` and `explicit`, where a metric in `explicit` replaces its thresholds: explicit ones override a preset, and
/// the command line overrides a profile. In the order of [`Metric::all`].
#[must_use]
pub fn overridden(thresholds: &[Threshold], explicit: &[Threshold]) -> Vec<Threshold> {
    let is_free = |of: &&Threshold| explicit.iter().all(|own| own.metric != of.metric);
    let mut all: Vec<_> = thresholds.iter().filter(is_free).chain(explicit).copied().collect();
    all.sort_by_key(|threshold| threshold.metric);
    all
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Below the limit.
    Lt,
    /// At or below the limit.
    Le,
    /// Above the limit.
    Gt,
    /// At or above the limit.
    Ge,
    /// Equal to the limit.
    Eq,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Lt, Self::Le, Self::Gt, Self::Ge, Self::Eq];

    /// `<`, `<=`, `>`, `>=`, `==`.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Eq => "==",
        }
    }

    /// Whether `measured` compares so to `limit`.
    #[must_use]
    pub fn holds(self, measured: f64, limit: f64) -> bool {
        match self {
            Self::Lt => measured < limit,
            Self::Le => measured <= limit,
            Self::Gt => measured > limit,
            Self::Ge => measured >= limit,
            Self::Eq => measured == limit,
        }
    }

    /// Whether higher values are worse.
    #[must_use]
    pub const fn is_upper(self) -> bool {
        matches!(self, Self::Lt | Self::Le)
    }

    /// Whether lower values are worse.
    #[must_use]
    pub const fn is_lower(self) -> bool {
        matches!(self, Self::Gt | Self::Ge)
    }

    /// The comparison at the start of `text`, and the rest.
    fn split(text: &str) -> Option<(Self, &str)> {
        // Longer symbols first: `<=` begins with `<`.
        [Self::Le, Self::Ge, Self::Eq, Self::Lt, Self::Gt]
            .into_iter()
            .find_map(|op| Some((op, text.strip_prefix(op.symbol())?)))
    }
}
