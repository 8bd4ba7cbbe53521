use bench_show::colour::Tone;
use load_plan::named;

named! {
    /// The outcome of a run.
    RunVerdict {
        /// Every threshold was measured and met.
        Pass = "pass",
        /// A threshold was violated, or has no samples.
        Fail = "fail",
        /// The generator was the bottleneck, or there are no thresholds: the numbers say nothing about the target.
        Invalid = "invalid",
        /// Shards are missing.
        Incomplete = "incomplete",
        /// A signal ended the run early.
        Interrupted = "interrupted",
    }
}

impl RunVerdict {
    /// What it says at a glance.
    #[must_use]
    pub const fn tone(self) -> Tone {
        match self {
            Self::Pass => Tone::Good,
            Self::Fail => Tone::Bad,
            Self::Invalid | Self::Incomplete | Self::Interrupted => Tone::Doubtful,
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
