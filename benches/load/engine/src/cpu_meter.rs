//! Processors that the generator uses.

use std::time::Duration;

use tokio::time::Instant;

use super::host::Host;

/// A stopwatch of processor time.
#[derive(Debug)]
pub(super) struct CpuMeter {
    host: Host,
    at: Instant,
    used: Duration,
}

impl CpuMeter {
    pub(super) fn new(host: Host) -> Self {
        Self { host, at: Instant::now(), used: host.cpu_time() }
    }

    /// Processors used on average since the last lap.
    pub(super) fn lap(&mut self) -> f64 {
        let next = Self::new(self.host);
        let spent = next.used.saturating_sub(self.used).as_secs_f64();
        let share = spent / (next.at - self.at).as_secs_f64().max(1e-9);
        *self = next;
        share
    }
}
