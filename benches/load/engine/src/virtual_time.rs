//! The time of a test: tokio's paused clock, which jumps ahead to the next timer once every task waits.

use std::time::Duration;

use tokio::time::Instant;

/// Wall-clock time at the start of a test, since 1970.
pub const START: Duration = Duration::from_hours(24 * 365 * 30);

/// Time that goes by the paused clock of the current runtime.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VirtualTime {
    zero: Instant,
    cpus: f64,
}

impl VirtualTime {
    /// Begins now; the generator seems to use `cpus` processors.
    pub(crate) fn starting_now(cpus: f64) -> Self {
        Self { zero: Instant::now(), cpus }
    }

    /// Wall-clock time since 1970.
    pub(crate) fn unix(self) -> Duration {
        START + self.zero.elapsed()
    }

    /// Processor time since the start.
    pub(crate) fn cpu_time(self) -> Duration {
        self.zero.elapsed().mul_f64(self.cpus)
    }
}
