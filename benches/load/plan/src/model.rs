//! A run as data: the profile, and what was measured second by second. Reports, verdicts and merges need nothing else.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::metrics::{Sample, Tally};
use super::named::named;
use super::profile::Profile;

named! {
    /// The part of a stage that an interval belongs to.
    Phase {
        /// Connections are opened or closed to reach the number of the stage. Errors count, latencies do not.
        Ramp = "ramp",
        /// All connections are open, and caches fill. Errors count, latencies do not.
        WarmUp = "warm_up",
        /// The measured time.
        Hold = "hold",
        /// The last answers are awaited, and connections are closed. Errors count, latencies do not.
        Drain = "drain",
    }
}

/// A part of a run, at most one second long.
///
/// As JSON it lacks its sample, which a report writes by names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Whole seconds since the start of the run; shards are added second by second.
    pub second: u64,
    /// Index in [`Profile::stages`].
    pub stage: usize,
    /// Part of the stage.
    pub phase: Phase,
    /// Length in nanoseconds; less than a second where a stage ends.
    pub length_ns: u64,
    /// Connections that are open at the end.
    pub open: u64,
    /// Connections that should be open at the end.
    pub target: u64,
    /// Processors that the generator used: 0.5 is half of one.
    pub generator_cpu: f64,
    /// Counts and timings.
    #[serde(skip)]
    pub sample: Sample,
}

/// An error in words, and how often it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorSample {
    /// Name of an [`Ending`](super::outcome::Ending), a [`Fault`](super::outcome::Fault) or a provocation.
    pub kind: String,
    /// The error: `connect to 127.0.0.1:1: Connection refused`.
    pub text: String,
    /// How often it happened.
    pub count: u64,
    /// When it first happened, in nanoseconds since the start of the run.
    pub first_ns: u64,
}

/// Counts of the target's allocator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetAllocations {
    /// Blocks allocated during the run.
    pub total_blocks: u64,
    /// Bytes allocated during the run.
    pub total_bytes: u64,
    /// Blocks alive after all connections have closed, minus those alive after the probe that precedes the run.
    pub remaining_blocks: i64,
    /// Bytes alive after all connections have closed, minus those alive after the probe.
    pub remaining_bytes: i64,
}

/// The part of a run that one of several generators performs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Counts from 0.
    pub index: u32,
    /// Number of shards; 1 is a whole run.
    pub of: u32,
}

/// A run that was added to others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Part {
    /// The shard; 0 for a whole run.
    pub shard: u32,
    /// Name of the run.
    pub run_id: String,
    /// Start by the wall clock, in nanoseconds since 1970.
    pub started_unix_ns: u128,
    /// The second in which a signal ended it; `None` if it was not interrupted.
    pub interrupted_in: Option<u64>,
    /// When the hold of each stage began, in nanoseconds since the start; `None` for a stage that was not held.
    pub holds: Vec<Option<u64>>,
}

/// One run.
///
/// As JSON it lacks the fields that a report writes in sections of their own: schema, profile, counts and errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Version of the format.
    #[serde(skip)]
    pub schema: u32,
    /// Name of the run, which all its shards share.
    pub run_id: String,
    /// The part of the run.
    pub shard: Shard,
    /// Indices of the shards in this run; all of them if it is whole.
    pub shards: Vec<u32>,
    /// Address of the target; empty if the run started a server of its own.
    pub url: String,
    /// Start by the wall clock, in nanoseconds since 1970; of several shards, the earliest.
    pub started_unix_ns: u128,
    /// Threads that generated the load.
    pub workers: u32,
    /// Processors of the machine.
    pub processors: u32,
    /// Reasons not to trust the run or one of its shards that do not show in the intervals.
    pub doubts: Vec<String>,
    /// Whether a signal ended the run early.
    pub interrupted: bool,
    /// Why the target's allocations are unknown, although it reported them before the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocations_unknown: Option<String>,
    /// Whether the target's certificate was not checked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
    /// The runs that were added up; empty for a run that was not merged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// The load that was asked for, with thresholds and seed.
    #[serde(skip)]
    pub profile: Profile,
    /// What the target saw before the start: a connection that checks the address, and the probe.
    #[serde(skip)]
    pub before: Tally,
    /// In order of time.
    #[serde(skip)]
    pub intervals: Vec<Interval>,
    /// Errors, the most frequent first; at most 64 of each shard.
    #[serde(skip)]
    pub error_samples: Vec<ErrorSample>,
    /// Allocations of the target, if it reports them.
    #[serde(skip)]
    pub allocations: Option<TargetAllocations>,
}

/// The newest [`Run::schema`].
pub const SCHEMA: u32 = 1;

impl Run {
    /// The intervals, each with its beginning in nanoseconds since the start. Those of one second follow one another.
    pub fn begun(&self) -> impl Iterator<Item = (u64, &Interval)> {
        let (mut second, mut offset_ns) = (0, 0);
        self.intervals.iter().map(move |interval| {
            if interval.second != second {
                (second, offset_ns) = (interval.second, 0);
            }
            let begin_ns = second * 1_000_000_000 + offset_ns;
            offset_ns += interval.length_ns;
            (begin_ns, interval)
        })
    }

    /// Address of the target, in words.
    #[must_use]
    pub fn target(&self) -> &str {
        if self.url.is_empty() { "a server of its own" } else { &self.url }
    }

    /// Sum of the intervals that `keep` selects.
    pub fn sum(&self, keep: impl Fn(&Interval) -> bool) -> Sample {
        let mut sum = Sample::default();
        for interval in self.intervals.iter().filter(|interval| keep(interval)) {
            sum.add(&interval.sample);
        }
        sum
    }

    /// Total length of the intervals that `keep` selects. Shards share their seconds.
    pub fn length(&self, keep: impl Fn(&Interval) -> bool) -> Duration {
        let kept = self.intervals.iter().filter(|interval| keep(interval));
        Duration::from_nanos(kept.map(|interval| interval.length_ns).sum())
    }
}
