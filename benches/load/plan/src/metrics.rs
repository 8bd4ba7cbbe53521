//! What is measured: counts, gauges and distributions that merge by addition. Pure.
//!
//! A worker records into a [`Recorder`] and cuts it once a second into a [`Sample`]; samples of workers, seconds and
//! shards add up to any whole, bucket by bucket.

mod distribution;
mod recorder;
mod tally;
#[cfg(test)]
mod tests;

use hdrhistogram::Histogram;

use crate::named::named;

pub use distribution::Distribution;
pub use recorder::Recorder;
pub use tally::Tally;

/// Shortest and longest time that a histogram tells apart, in nanoseconds: 1 µs and 60 s. What lies outside is counted
/// at the edge; the exact extremes are kept beside it.
const LOWEST_NS: u64 = 1_000;
const HIGHEST_NS: u64 = 60_000_000_000;

/// Significant decimal digits of a bucket.
const DIGITS: u8 = 3;

named! {
    /// A time that is measured, in nanoseconds.
    Timing {
        /// From when a message was due until its answer was here. What an open loop is judged by.
        RttIntended = "rtt_intended",
        /// From when a message was handed to the socket until its answer was here. What a closed loop is judged by.
        RttService = "rtt_service",
        /// From the first packet until the upgrade was answered.
        Connect = "connect",
        /// How much later than due the generator itself got round to a message.
        ScheduleLag = "schedule_lag",
        /// From a ping to its pong.
        Ping = "ping",
        /// Between two messages of a subscription.
        Gap = "gap",
        /// Age of a subscription's message by the time in it.
        Staleness = "staleness",
    }
}

/// An empty histogram with the one geometry that all of them have: 1 µs to 60 s, three digits.
#[must_use]
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(LOWEST_NS, HIGHEST_NS, DIGITS).expect("the bounds are constants")
}

/// Counts and distributions of some stretch of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// What was counted.
    pub counts: Tally,
    /// What was timed, by [`Timing::ALL`].
    pub timings: [Distribution; Timing::ALL.len()],
}

impl Sample {
    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        for (mine, theirs) in self.timings.iter_mut().zip(&other.timings) {
            mine.add(theirs);
        }
    }

    /// One of the distributions.
    #[must_use]
    pub fn timing(&self, timing: Timing) -> &Distribution {
        &self.timings[timing as usize]
    }
}
