//! What is measured: counts, gauges and distributions that merge by addition. Pure.
//!
//! A worker records into a [`Recorder`] and cuts it once a second into a [`Sample`]; samples of workers, seconds and
//! shards add up to any whole, bucket by bucket.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::outcome::{Ending, Fault};

/// Shortest and longest time that a histogram tells apart, in nanoseconds: 1 µs and 60 s. What lies outside is counted
/// at the edge; the exact extremes are kept beside it.
const LOWEST_NS: u64 = 1_000;
const HIGHEST_NS: u64 = 60_000_000_000;

/// Significant decimal digits of a bucket.
const DIGITS: u8 = 3;

/// What a distribution is of. All in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    /// From when a message was due until its answer was here. What an open loop is judged by.
    RttIntended,
    /// From when a message was handed to the socket until its answer was here. What a closed loop is judged by.
    RttService,
    /// From the first packet until the upgrade was answered.
    Connect,
    /// How much later than due the generator itself got round to a message.
    ScheduleLag,
    /// From a ping to its pong.
    Ping,
    /// Between two messages of a subscription.
    Gap,
    /// Age of a subscription's message by the time in it.
    Staleness,
}

impl Timing {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 7] = [
        Self::RttIntended,
        Self::RttService,
        Self::Connect,
        Self::ScheduleLag,
        Self::Ping,
        Self::Gap,
        Self::Staleness,
    ];

    /// The word in reports, metrics' names and the tags of interval logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RttIntended => "rtt_intended",
            Self::RttService => "rtt_service",
            Self::Connect => "connect",
            Self::ScheduleLag => "schedule_lag",
            Self::Ping => "ping",
            Self::Gap => "gap",
            Self::Staleness => "staleness",
        }
    }
}

/// An empty histogram with the one geometry that all of them have: 1 µs to 60 s, three digits.
#[must_use]
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(LOWEST_NS, HIGHEST_NS, DIGITS).expect("the bounds are constants")
}

/// A distribution in its compact form: buckets that something fell into, and what they cannot say exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// Values recorded.
    pub count: u64,
    /// Their sum in nanoseconds.
    pub sum_ns: u128,
    /// The least; 0 of none.
    pub min_ns: u64,
    /// The greatest; 0 of none.
    pub max_ns: u64,
    /// Highest value of a bucket in nanoseconds, and how many fell into it; ascending.
    #[serde(skip)]
    pub buckets: Vec<(u64, u64)>,
}

impl Distribution {
    /// Adds every bucket of `other`.
    pub fn add(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.min_ns = if self.count == 0 { other.min_ns } else { self.min_ns.min(other.min_ns) };
        self.max_ns = self.max_ns.max(other.max_ns);
        self.count += other.count;
        self.sum_ns += other.sum_ns;
        self.buckets = added(&self.buckets, &other.buckets);
    }

    /// Arithmetic mean in nanoseconds; `None` of nothing.
    #[must_use]
    pub fn mean_ns(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_ns as f64 / self.count as f64)
    }

    /// The least bucket that `quantile` (0 to 1) of all values do not exceed, as its highest value in nanoseconds and
    /// never beyond the exact extremes; `None` of nothing.
    #[must_use]
    pub fn quantile_ns(&self, quantile: f64) -> Option<u64> {
        let rank = ((quantile * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        self.buckets.iter().find_map(|(value, count)| {
            seen += count;
            (seen >= rank).then(|| (*value).clamp(self.min_ns, self.max_ns))
        })
    }

    /// Whether at least ten values lie beyond `quantile`: with fewer it is hearsay.
    #[must_use]
    pub fn supports(&self, quantile: f64) -> bool {
        // A count times a quantile such as 0.99 is not exact; half a value is less than any difference that matters.
        (self.count as f64) * (1.0 - quantile) >= 10.0 - 1e-6
    }

    /// As a histogram, for an interval log.
    #[must_use]
    pub fn to_histogram(&self) -> Histogram<u64> {
        let mut histogram = histogram();
        for (value, count) in &self.buckets {
            histogram.saturating_record_n(*value, *count);
        }
        histogram
    }
}

/// Two ascending lists of buckets as one.
fn added(a: &[(u64, u64)], b: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut sum = Vec::with_capacity(a.len().max(b.len()));
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let next = match (a.peek(), b.peek()) {
            (None, None) => return sum,
            (Some(_), None) => a.next().copied(),
            (None, Some(_)) => b.next().copied(),
            (Some((x, n)), Some((y, m))) => match x.cmp(y) {
                std::cmp::Ordering::Less => a.next().copied(),
                std::cmp::Ordering::Greater => b.next().copied(),
                std::cmp::Ordering::Equal => {
                    let both = (*x, n + m);
                    a.next();
                    b.next();
                    Some(both)
                }
            },
        };
        sum.extend(next);
    }
}

/// Everything that is counted. Sums over connections, and over time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Connections begun.
    pub attempted: u64,
    /// Of those, upgraded.
    pub opened: u64,
    /// Attempts that have ended, by [`Ending::ALL`].
    pub endings: [u64; Ending::ALL.len()],
    /// Messages sent.
    pub sent: u64,
    /// Messages that an open loop had due, sent or not.
    pub due: u64,
    /// Messages answered, rightly or not; of a subscription, messages received.
    pub received: u64,
    /// Payload bytes sent.
    pub sent_bytes: u64,
    /// Payload bytes received.
    pub received_bytes: u64,
    /// Payload and frame headers sent, in bytes; without TLS and TCP.
    pub sent_wire_bytes: u64,
    /// Payload and frame headers received, in bytes.
    pub received_wire_bytes: u64,
    /// Times a connection did not take a message that was due because its buffers were full.
    pub backpressure_events: u64,
    /// Pings sent.
    pub pings: u64,
    /// Pongs received.
    pub pongs: u64,
    /// Updates that a subscription's own numbers say were skipped.
    pub missed_updates: u64,
    /// Messages at fault, by [`Fault::ALL`].
    pub faults: [u64; Fault::ALL.len()],
    /// Provocations of a hostile profile that were tried.
    pub provoked: u64,
    /// Of those, the ones the peer did not answer as it should.
    pub provoked_badly: u64,
}

impl Counts {
    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        let Self { endings, faults, .. } = other;
        for (mine, theirs) in self.endings.iter_mut().zip(endings) {
            *mine += theirs;
        }
        for (mine, theirs) in self.faults.iter_mut().zip(faults) {
            *mine += theirs;
        }
        self.attempted += other.attempted;
        self.opened += other.opened;
        self.sent += other.sent;
        self.due += other.due;
        self.received += other.received;
        self.sent_bytes += other.sent_bytes;
        self.received_bytes += other.received_bytes;
        self.sent_wire_bytes += other.sent_wire_bytes;
        self.received_wire_bytes += other.received_wire_bytes;
        self.backpressure_events += other.backpressure_events;
        self.pings += other.pings;
        self.pongs += other.pongs;
        self.missed_updates += other.missed_updates;
        self.provoked += other.provoked;
        self.provoked_badly += other.provoked_badly;
    }

    /// Attempts that ended so.
    #[must_use]
    pub fn ended(&self, ending: Ending) -> u64 {
        self.endings[ending as usize]
    }

    /// Messages with this fault.
    #[must_use]
    pub fn faulty(&self, fault: Fault) -> u64 {
        self.faults[fault as usize]
    }

    /// Attempts that have not ended.
    #[must_use]
    pub fn unended(&self) -> u64 {
        self.attempted.saturating_sub(self.endings.iter().sum())
    }

    /// Attempts that ended otherwise than they should.
    #[must_use]
    pub fn failed(&self) -> u64 {
        Ending::ALL
            .iter()
            .filter(|ending| !ending.is_good())
            .map(|ending| self.ended(*ending))
            .sum()
    }

    /// Faults of messages, and attempts that failed.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.failed() + self.faults.iter().sum::<u64>()
    }

    /// [`Counts::errors`] as a share of connections and messages tried; `None` if nothing was.
    #[must_use]
    pub fn error_share(&self) -> Option<f64> {
        let tried = self.attempted + self.sent.max(self.received);
        (tried > 0).then(|| self.errors() as f64 / tried as f64)
    }
}

/// Counts and distributions of some stretch of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// What was counted.
    pub counts: Counts,
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

/// One timing being recorded.
#[derive(Debug)]
struct Dial {
    histogram: Histogram<u64>,
    sum_ns: u128,
    min_ns: u64,
    max_ns: u64,
}

/// What a worker records into. Recording allocates nothing once a timing has been seen for the first time.
#[derive(Debug, Default)]
pub struct Recorder {
    /// What is counted; whoever records adds to it directly.
    pub counts: Counts,
    dials: [Option<Box<Dial>>; Timing::ALL.len()],
}

impl Recorder {
    /// Records `ns` nanoseconds.
    pub fn record(&mut self, timing: Timing, ns: u64) {
        let dial = self.dials[timing as usize].get_or_insert_with(Dial::new);
        dial.histogram.saturating_record(ns.clamp(LOWEST_NS, HIGHEST_NS));
        dial.sum_ns += u128::from(ns);
        dial.min_ns = dial.min_ns.min(ns);
        dial.max_ns = dial.max_ns.max(ns);
    }

    /// What was recorded since the last cut.
    pub fn cut(&mut self) -> Sample {
        let counts = std::mem::take(&mut self.counts);
        let timings = self.dials.each_mut().map(|dial| match dial {
            Some(dial) => dial.cut(),
            None => Distribution::default(),
        });
        Sample { counts, timings }
    }
}

impl Dial {
    fn new() -> Box<Self> {
        Box::new(Self { histogram: histogram(), sum_ns: 0, min_ns: u64::MAX, max_ns: 0 })
    }

    fn cut(&mut self) -> Distribution {
        if self.histogram.is_empty() {
            return Distribution::default();
        }
        let buckets = self
            .histogram
            .iter_recorded()
            .map(|step| (step.value_iterated_to(), step.count_since_last_iteration()))
            .collect();
        let cut = Distribution {
            count: self.histogram.len(),
            sum_ns: self.sum_ns,
            min_ns: self.min_ns,
            max_ns: self.max_ns,
            buckets,
        };
        self.histogram.reset();
        (self.sum_ns, self.min_ns, self.max_ns) = (0, u64::MAX, 0);
        cut
    }
}

#[cfg(test)]
mod tests;
