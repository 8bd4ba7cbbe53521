//! Counts and distributions, which merge by addition. Pure.
//!
//! A worker records into a [`Recorder`] and cuts a [`Sample`] from it once a second. Samples of workers, seconds and
//! shards add up bucket by bucket.

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

/// Range of a histogram in nanoseconds: 1 µs to 60 s. Times outside count in the first or the last bucket; the exact
/// extremes are kept beside the histogram.
const LOWEST_NS: u64 = 1_000;
pub(crate) const HIGHEST_NS: u64 = 60_000_000_000;

/// Significant decimal digits of a bucket.
const DIGITS: u8 = 3;

named! {
    /// A time that is measured, in nanoseconds.
    Timing {
        /// From when a message was due until its answer arrived. Judges an open loop.
        RttIntended = "rtt_intended",
        /// From when a message was handed to the socket until its answer arrived. Judges a closed loop.
        RttService = "rtt_service",
        /// From the first packet until the answer to the upgrade.
        Connect = "connect",
        /// Delay of the generator: from when a message was due until the generator turned to it. Every worker has a beat of
        /// its own as well, also where no message is due.
        ScheduleLag = "schedule_lag",
        /// From a ping to its pong.
        Ping = "ping",
        /// Between two messages of a subscription; and a silence that no message ended, if it was longer than all gaps
        /// before it.
        Gap = "gap",
        /// Age of a subscription's message, by the time in it; in such a silence of the message that did not come.
        Staleness = "staleness",
    }
}

/// Time in nanoseconds between two beats of a worker, which tell how late it is where no message is due. A stall that
/// turns a limit lasts for several: the tightest limit of a built-in profile is 10 ms.
pub const BEAT_NS: u64 = 5_000_000;

/// An empty histogram: 1 µs to 60 s, three digits. All histograms have these bounds, so that they can be added.
#[must_use]
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(LOWEST_NS, HIGHEST_NS, DIGITS).expect("the bounds are constants")
}

/// Counts and distributions of a part of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The counts.
    pub counts: Tally,
    /// The distributions, in the order of [`Timing::ALL`].
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

    /// The distribution of `timing`.
    #[must_use]
    pub fn timing(&self, timing: Timing) -> &Distribution {
        &self.timings[timing as usize]
    }
}
