//! Nanoseconds since the run's start.

use std::time::Duration;

use tokio::time::Instant;

use super::host::Host;

/// One for all workers of a run. Monotonic; before the start it stands at 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    host: Host,
    start: Instant,
}

impl Clock {
    /// A clock that starts at `start`, which may lie ahead.
    pub(super) const fn starting_at(host: Host, start: Instant) -> Self {
        Self { host, start }
    }

    /// Where the time comes from.
    pub(super) const fn host(&self) -> Host {
        self.host
    }

    /// When it starts.
    pub(super) const fn start(&self) -> Instant {
        self.start
    }

    /// Wall-clock time at the start, since 1970.
    pub(super) fn start_unix(&self) -> Duration {
        let now = Instant::now();
        let ahead = self.start.saturating_duration_since(now);
        let behind = now.saturating_duration_since(self.start);
        (self.host.unix() + ahead).saturating_sub(behind)
    }

    /// Wall-clock time at the start, in milliseconds since 1970.
    pub(super) fn start_unix_ms(&self) -> f64 {
        self.start_unix().as_secs_f64() * 1e3
    }

    /// Now.
    pub(super) fn now_ns(&self) -> u64 {
        Instant::now().saturating_duration_since(self.start).as_nanos() as u64
    }

    /// Now, as a duration.
    pub(super) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.now_ns())
    }
}
