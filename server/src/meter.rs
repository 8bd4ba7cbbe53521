use std::time::Duration;

/// Turns totals into rates: remembers the totals of the last tick.
#[derive(Debug)]
pub(crate) struct Meter<const N: usize> {
    at: Duration,
    totals: [u64; N],
}

impl<const N: usize> Meter<N> {
    pub(crate) fn new(at: Duration) -> Self {
        Self { at, totals: [0; N] }
    }

    /// The rates per second since the last call.
    pub(crate) fn advance(&mut self, now: Duration, totals: [u64; N]) -> [f64; N] {
        let before = std::mem::replace(self, Self { at: now, totals });
        let seconds = (now - before.at).as_secs_f64();
        std::array::from_fn(|i| {
            let grown = totals[i].saturating_sub(before.totals[i]) as f64;
            // The first tick has no interval behind it.
            if seconds > 0.0 { grown / seconds } else { 0.0 }
        })
    }
}
