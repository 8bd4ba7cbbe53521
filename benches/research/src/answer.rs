//! Whether a ratio stays below its limit.

use bench_kit::statistics::ConfidenceInterval;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Within,
    Beyond,
    TooNoisy,
}

impl Answer {
    /// The answer of the `interval` of a ratio's logarithm. `within` is the share by which the ratio may exceed 1.
    pub(crate) fn of(interval: &ConfidenceInterval, within: f64) -> Self {
        let limit = within.ln_1p();
        match interval {
            ConfidenceInterval { high, .. } if *high <= limit => Self::Within,
            ConfidenceInterval { low, .. } if *low > limit => Self::Beyond,
            _ => Self::TooNoisy,
        }
    }

    pub(crate) const fn exit_code(self) -> u8 {
        match self {
            Self::Within => 0,
            Self::Beyond => 3,
            Self::TooNoisy => 6,
        }
    }
}
