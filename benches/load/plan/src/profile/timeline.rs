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

    /// Whether stage `index` is judged by intended times: an open loop is, a closed one has none.
    #[must_use]
    pub fn is_open_loop(&self, index: usize) -> bool {
        matches!(self.pace(index), Pace::Open { .. })
    }

    /// The latency that stage `index` is judged by; `None` where nothing is sent that could be answered.
    #[must_use]
    pub fn judged(&self, index: usize) -> Option<Timing> {
        match (&self.target.mode, self.pace(index)) {
            (Mode::Subscribe { .. }, _) | (_, Pace::Idle) => None,
            (_, Pace::Open { .. }) => Some(Timing::RttIntended),
            (_, Pace::Closed { .. }) => Some(Timing::RttService),
        }
    }

    /// How long the stages are meant to take: ramps, warm-ups and holds. Waiting for connections to open, and for the
    /// last answers, comes on top.
    #[must_use]
    pub fn duration(&self) -> Duration {
        let warm_up = |stage: &Stage| {
            if stage.hold.is_zero() { Duration::ZERO } else { self.traffic.warm_up }
        };
        let lasts = |stage: &Stage| stage.ramp + warm_up(stage) + stage.hold;
        self.stages.iter().map(lasts).sum()
    }

    /// The same load in `factor` times the time: ramps, holds and warm-ups are scaled, rates and timeouts are not.
    ///
    /// # Errors
    ///
    /// If the factor is not positive, or leaves nothing to measure.
    pub fn scaled(&self, factor: f64) -> Result<Self> {
        let scaled = |time: Duration| {
            Duration::try_from_secs_f64(time.as_secs_f64() * factor).ok().with_context(|| {
                format!("a time cannot be scaled by {factor}; give a number above 0, such as 0.1")
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
