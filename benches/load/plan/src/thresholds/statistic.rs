use crate::named::named;

named! {
    /// A number that summarises a distribution. Names of metrics end with its name.
    Statistic {
        /// The minimum, exact.
        Min = "min",
        /// The arithmetic mean, exact.
        Mean = "mean",
        /// The maximum, exact.
        Max = "max",
        /// The median.
        P50 = "p50",
        /// 90th percentile.
        P90 = "p90",
        /// 95th percentile.
        P95 = "p95",
        /// 99th percentile.
        P99 = "p99",
        /// 99.9th percentile.
        P999 = "p999",
        /// 99.99th percentile.
        P9999 = "p9999",
    }
}

impl Statistic {
    /// The quantile of a percentile, as a share of 1.
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

    /// The start of a phrase about a metric.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Min => "minimum of",
            Self::Mean => "mean of",
            Self::Max => "maximum of",
            Self::P50 => "median of",
            Self::P90 => "90th percentile of",
            Self::P95 => "95th percentile of",
            Self::P99 => "99th percentile of",
            Self::P999 => "99.9th percentile of",
            Self::P9999 => "99.99th percentile of",
        }
    }
}
