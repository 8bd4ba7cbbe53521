/// One number of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Statistic {
    /// The least, exact.
    Min,
    /// The arithmetic mean, exact.
    Mean,
    /// The greatest, exact.
    Max,
    /// The median.
    P50,
    /// 90th percentile.
    P90,
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
    /// 99.9th percentile.
    P999,
    /// 99.99th percentile.
    P9999,
}

impl Statistic {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Min,
        Self::Mean,
        Self::Max,
        Self::P50,
        Self::P90,
        Self::P95,
        Self::P99,
        Self::P999,
        Self::P9999,
    ];

    /// How metrics' names end.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Mean => "mean",
            Self::Max => "max",
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::P999 => "p999",
            Self::P9999 => "p9999",
        }
    }

    /// Of a percentile, as a share of 1.
    #[must_use]
    pub const fn quantile(self) -> Option<f64> {
        match self {
            Self::Min | Self::Mean | Self::Max => None,
            Self::P50 => Some(0.5),
            Self::P90 => Some(0.9),
            Self::P95 => Some(0.95),
            Self::P99 => Some(0.99),
            Self::P999 => Some(0.999),
            Self::P9999 => Some(0.9999),
        }
    }

    /// How a sentence about a metric begins.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Min => "least of",
            Self::Mean => "mean of",
            Self::Max => "greatest of",
            Self::P50 => "median of",
            Self::P90 => "90th percentile of",
            Self::P95 => "95th percentile of",
            Self::P99 => "99th percentile of",
            Self::P999 => "99.9th percentile of",
            Self::P9999 => "99.99th percentile of",
        }
    }
}
