use std::time::Duration;

use anyhow::{Context as _, Result};

use super::{Mode, Pace, Profile, Stage};
use crate::metrics::Timing;

impl Profile {
    /// The pace in stage `index`.
    #[must_use]
    pub fn pace(&self, index: usize) -> Pace {
        self.stages[index].pace.unwrap_or(self.traffic.pace)
    }

    /// Whether messages of stage `index` are due at a time.
    #[must_use]
    pub fn is_open_loop(&self, index: usize) -> bool {
        matches!(self.pace(index), Pace::Open { .. })
    }

    /// The latency that stage `index` is judged by; `None` if the stage sends nothing that would be answered.
    #[must_use]
    pub fn judged(&self, index: usize) -> Option<Timing> {
        match (&self.target.mode, self.pace(index)) {
            (Mode::Subscribe { .. }, _) | (_, Pace::Idle) => None,
            (_, Pace::Open { .. }) => Some(Timing::RttIntended),
            (_, Pace::Closed { .. }) => Some(Timing::RttService),
        }
    }

    /// Planned length of the stages: ramps, warm-ups and holds. Excludes the time that connections take to open and the
    /// wait for the last answers.
    #[must_use]
    pub fn duration(&self) -> Duration {
        let warm_up = |stage: &Stage| {
            if stage.hold.is_zero() { Duration::ZERO } else { self.traffic.warm_up }
        };
        let lasts = |stage: &Stage| stage.ramp + warm_up(stage) + stage.hold;
        self.stages.iter().map(lasts).sum()
    }

    /// How far apart the starts of shards may lie: a tenth of the shortest hold, so that nine tenths of it have the load of
    /// all shards.
    #[must_use]
    pub fn allowed_skew(&self) -> Duration {
        let holds = self.stages.iter().map(|stage| stage.hold).filter(|hold| !hold.is_zero());
        holds.min().unwrap_or_default() / 10
    }

    /// The same load in `factor` times the time: scales ramps, holds and warm-ups, but not rates and timeouts.
    ///
    /// # Errors
    ///
    /// If the factor is not positive, or if nothing is left to measure.
    pub fn scaled(&self, factor: f64) -> Result<Self> {
        let scaled = |time: Duration| {
            Duration::try_from_secs_f64(time.as_secs_f64() * factor).ok().with_context(|| {
                format!("times cannot be scaled by {factor}; write a number above 0, such as 0.1")
            })
        };
        let mut profile = self.clone();
        profile.traffic.warm_up = scaled(self.traffic.warm_up)?;
        for stage in &mut profile.stages {
            stage.ramp = scaled(stage.ramp)?;
            stage.hold = scaled(stage.hold)?;
        }
        profile.check().with_context(|| format!("scaled by {factor}"))?;
        Ok(profile)
    }
}
