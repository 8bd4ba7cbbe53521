//! Processor time of this process.

use std::time::{Duration, Instant};

/// A stopwatch of it.
pub(super) struct Processor {
    at: Instant,
    used: Duration,
}

impl Processor {
    pub(super) fn new() -> Self {
        Self { at: Instant::now(), used: used() }
    }

    /// Processors used since the last lap.
    pub(super) fn lap(&mut self) -> f64 {
        let next = Self::new();
        let spent = next.used.saturating_sub(self.used).as_secs_f64();
        let share = spent / (next.at - self.at).as_secs_f64().max(1e-9);
        *self = next;
        share
    }
}

fn used() -> Duration {
    let clock = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(clock.tv_sec.cast_unsigned(), clock.tv_nsec as u32)
}
