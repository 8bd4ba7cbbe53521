use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::clock::nanoseconds;

/// Ticks without a snapshot, and at least this time, after which the hub is hung, or panics again and again. The hub of a
/// busy machine is late by less.
const SILENT_TICKS: u32 = 8;
const SILENT_FOR: Duration = Duration::from_secs(5);

/// Whether the hub publishes. Times are nanoseconds of the server's clock.
#[derive(Debug)]
pub(crate) struct Pulse {
    /// When the hub last published.
    last: AtomicU64,
    /// Whether the hub has panicked since then.
    panicked: AtomicBool,
    /// The first look since then that found it silent; 0 if none did.
    suspected: AtomicU64,
}

impl Pulse {
    pub(crate) fn at(now: Duration) -> Self {
        let last = AtomicU64::new(nanoseconds(now));
        Self { last, panicked: AtomicBool::new(false), suspected: AtomicU64::new(0) }
    }

    pub(crate) fn beat(&self, now: Duration) {
        self.last.store(nanoseconds(now), Relaxed);
        self.panicked.store(false, Relaxed);
        self.suspected.store(0, Relaxed);
    }

    pub(crate) fn panicked(&self) {
        self.panicked.store(true, Relaxed);
    }

    /// The time without a snapshot, if it is too long for one `tick`.
    ///
    /// A hub that did not panic is silent at the second look only: after a machine slept, the hub is late by hours, and
    /// publishes as soon as it gets its turn.
    pub(crate) fn silence(&self, now: Duration, tick: Duration) -> Option<Duration> {
        let silence = now.saturating_sub(Duration::from_nanos(self.last.load(Relaxed)));
        if silence <= SILENT_FOR.max(tick.saturating_mul(SILENT_TICKS)) {
            return None;
        }
        let first = self.suspected.compare_exchange(0, nanoseconds(now), Relaxed, Relaxed);
        let first = first.map_or_else(Duration::from_nanos, |_| now);
        (self.panicked.load(Relaxed) || now >= first + tick).then_some(silence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_hub_that_panicked_is_silent_after_5_s_and_after_8_ticks() {
        let pulse = Pulse::at(ms(1000));
        pulse.panicked();
        for (now, tick, silence) in [
            (6000, 250, None),
            (6001, 250, Some(5001)),
            (6001, 1000, None),
            (9001, 1000, Some(8001)),
            (0, 250, None),
        ] {
            assert_eq!(pulse.silence(ms(now), ms(tick)), silence.map(ms), "{now}, {tick}");
        }
        pulse.beat(ms(6001));
        assert_eq!(pulse.silence(ms(11_001), ms(250)), None);
    }

    #[test]
    fn a_hub_that_hangs_is_silent_at_the_second_look_a_tick_later() {
        let pulse = Pulse::at(ms(1000));
        let look = |now| pulse.silence(ms(now), ms(250));
        assert_eq!([60_000, 60_249, 60_250].map(look), [None, None, Some(ms(59_250))]);
        // It went on.
        pulse.beat(ms(61_000));
        assert_eq!([61_001, 80_000, 80_250].map(look), [None, None, Some(ms(19_250))]);
    }
}
