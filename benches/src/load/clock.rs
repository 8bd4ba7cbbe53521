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
