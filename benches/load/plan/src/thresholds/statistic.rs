use crate::named::named;

named! {
    /// One number of a distribution. Its name ends those of metrics.
    Statistic {
        /// The least, exact.
        Min = "min",
        /// The arithmetic mean, exact.
        Mean = "mean",
        /// The greatest, exact.
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
