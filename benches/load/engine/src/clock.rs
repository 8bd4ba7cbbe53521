//! Nanoseconds since the run's start.

use std::time::{Duration, Instant};

/// One for all workers of a run. Monotonic; before the start it stands at 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts at `start`, which may lie ahead.
    #[must_use]
    pub(super) const fn starting_at(start: Instant) -> Self {
        Self { start }
    }

    /// When it starts.
    #[must_use]
    pub(super) const fn start(&self) -> Instant {
        self.start
    }

    /// Milliseconds until it starts; below 0 once it has.
    #[must_use]
    pub(super) fn until_start_ms(&self) -> f64 {
        let now = Instant::now();
        let ahead = self.start.saturating_duration_since(now);
        (ahead.as_secs_f64() - now.saturating_duration_since(self.start).as_secs_f64()) * 1e3
    }

    /// Now.
    #[must_use]
    pub(super) fn now_ns(&self) -> u64 {
        Instant::now().saturating_duration_since(self.start).as_nanos() as u64
    }

    /// Now, as a duration.
    #[must_use]
    pub(super) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.now_ns())
    }
}
