//! Deliberate slowness, to measure what a comparison sees. Not compiled without the feature `slowdown`.

use std::time::{Duration, Instant};

/// Time that is wasted, busily, for each of what is counted. Default: none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slowdown {
    /// For each batch of echoed messages, before its flush; a message that comes alone is a batch.
    pub batch: Duration,
    /// For each upgraded connection.
    pub connection: Duration,
    /// For each snapshot to a subscriber.
    pub snapshot: Duration,
}

/// Keeps the processor busy for `time`: sleeping would cost a timer and a wake-up, and no work.
pub(crate) fn waste(time: Duration) {
    if time.is_zero() {
        return;
    }
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}
