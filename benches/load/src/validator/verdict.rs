use serde::Serialize;

/// The outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunVerdict {
    /// Every threshold was measured and met.
    Pass,
    /// A threshold was violated, or has no samples.
    Fail,
    /// The generator was the bottleneck, or there are no thresholds: the numbers say nothing about the target.
    Invalid,
    /// Shards are missing.
    Incomplete,
    /// A signal ended the run early.
    Interrupted,
}

impl RunVerdict {
    /// All verdicts.
    pub const ALL: [Self; 5] =
        [Self::Pass, Self::Fail, Self::Invalid, Self::Incomplete, Self::Interrupted];

    /// The word in reports, in tables and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Invalid => "invalid",
            Self::Incomplete => "incomplete",
            Self::Interrupted => "interrupted",
        }
    }

    /// The exit code of the process.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 3,
            Self::Invalid | Self::Incomplete => 6,
            // 128 + SIGINT, as shells report it.
            Self::Interrupted => 130,
        }
    }
}
