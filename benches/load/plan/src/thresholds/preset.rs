use std::str::FromStr;

use super::{Metric, Op, Statistic, Threshold};
use crate::named::named;
use crate::unknown::unknown;

named! {
    /// A named set of limits.
    Preset {
        /// A service level: mean and p99 under 10 ms, no remaining allocations, at most 1 % errors.
        Enterprise = "enterprise",
        /// A check while developing: mean and p99 under 50 ms, at most 5 % errors.
        Development = "development",
    }
}

const MS: f64 = 1e6;

impl Preset {
    /// The limits of the preset, in the order of [`Metric::all`].
    #[must_use]
    pub fn thresholds(self) -> Vec<Threshold> {
        let latency = |statistic, ms: f64| (Metric::Latency(statistic), Op::Lt, ms * MS);
        let limits = match self {
            Self::Enterprise => vec![
                latency(Statistic::Mean, 10.0),
                latency(Statistic::P99, 10.0),
                (Metric::Errors, Op::Le, 0.01),
                (Metric::RemainingAllocations, Op::Eq, 0.0),
            ],
            Self::Development => vec![
                latency(Statistic::Mean, 50.0),
                latency(Statistic::P99, 50.0),
                (Metric::Errors, Op::Le, 0.05),
            ],
        };
        limits
            .into_iter()
            .map(|(metric, op, limit)| Threshold { metric, op, limit, preset: Some(self) })
            .collect()
    }
}

impl FromStr for Preset {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> anyhow::Result<Self> {
        Self::ALL.into_iter().find(|preset| preset.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            let hint = format!("; known presets are {}", names.join(" and "));
            anyhow::anyhow!(unknown("preset", name, names, &hint))
        })
    }
}
