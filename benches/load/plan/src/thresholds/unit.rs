use crate::units;

/// The unit of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Nanoseconds.
    Time,
    /// A share of 1.
    Share,
    /// A number of things, not necessarily whole.
    Count,
    /// Bytes.
    Bytes,
    /// Events per second.
    PerSecond,
    /// Millions of bits per second.
    Mbps,
}

impl Unit {
    /// The name in `report.json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "ns",
            Self::Share => "share",
            Self::Count => "count",
            Self::Bytes => "bytes",
            Self::PerSecond => "per_s",
            Self::Mbps => "mbps",
        }
    }

    /// Formats a value for people: `1.23 ms`, `0.12 %`, `12,345`.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Time => units::time(value),
            Self::Share => units::share(value),
            Self::Count => units::count(value),
            Self::Bytes => units::volume(value),
            Self::PerSecond => units::rate(value),
            Self::Mbps => format!("{} Mbps", units::significant(value)),
        }
    }

    /// An example of a limit in this unit.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::Time => "10ms",
            Self::Share => "1%",
            Self::Count => "1000",
            Self::Bytes => "16KiB",
            Self::PerSecond => "1000/s",
            Self::Mbps => "100Mbps",
        }
    }
}
