use std::fmt;

use baselines::Verdict;
use baselines::ratios::Ratio;

/// The times of a benchmark and of its floor.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// Median of the benchmark, in nanoseconds per iteration.
    pub median_ns: f64,
    /// Median of the floor, in nanoseconds per iteration.
    pub floor_ns: f64,
}

impl Pair {
    /// The benchmark's time divided by the floor's; this number is recorded and compared.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.median_ns / self.floor_ns
    }
}

/// Why a benchmark has no ratio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its id is not `group/function/parameter`.
    NotAnId,
    /// Its group has no floor of the same shape.
    NoFloor,
    /// Its floor was measured in another run.
    AnotherRun,
}

/// One benchmark: the measured times, the recorded ratio, and the verdict.
#[derive(Clone, Debug)]
pub struct RatioRow {
    /// The criterion id.
    pub id: String,
    /// The result and its floor.
    pub measured: Option<Pair>,
    /// What the baseline contains.
    pub recorded: Option<Ratio>,
    /// Why there is a result without a ratio.
    pub refused: Option<Refusal>,
    /// The outcome.
    pub verdict: Verdict,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnId => {
                "its id is not group/function/parameter; rm -r its folder, or rename it"
            }
            Self::NoFloor => {
                "its group has no tcp or memcpy benchmark of its shape; cargo bench -p benches"
            }
            Self::AnotherRun => "its floor was measured in another run; cargo bench -p benches",
        })
    }
}
