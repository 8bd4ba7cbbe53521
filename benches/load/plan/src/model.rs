//! A run as data: what was asked for, and what came of it, second by second. Everything a report, a verdict or a merge
//! needs is in here.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::metrics::{Sample, Tally};
use super::profile::Profile;

/// What kind of time an interval is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Connections are being opened or closed to reach a stage's number. Errors count, latencies do not.
    Ramp,
    /// All are open; the server, its caches and ours get warm. Errors count, latencies do not.
    WarmUp,
    /// What is measured.
    Hold,
    /// Nothing more is sent; answers are awaited and connections closed. Errors count, latencies do not.
    Drain,
}

/// A stretch of a run, at most a second long.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    /// Whole seconds since the run's start: the grid on which shards are added.
    pub second: u64,
    /// Where in [`Profile::stages`].
    pub stage: usize,
    /// What kind of time it was.
    pub phase: Phase,
    /// How long it was, in nanoseconds; a stage may end within a second.
    pub length_ns: u64,
    /// Connections open at its end.
    pub open: u64,
    /// Connections that should have been open at its end.
    pub target: u64,
    /// Share of one processor that the generator used, times the processors: 0.5 is half of one.
    pub generator_cpu: f64,
    /// What was counted and timed.
    pub sample: Sample,
}

/// An error with its words, and how often it was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorSample {
    /// [`super::outcome::Ending::name`], [`super::outcome::Fault::name`], or of a provocation.
    pub kind: String,
    /// What was met, in words: `connect to 127.0.0.1:1: Connection refused`.
    pub text: String,
    /// How often.
    pub count: u64,
    /// Nanoseconds since the run's start at which it was first met.
    pub first_ns: u64,
}

/// What the target's own allocator says, where it can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetAllocations {
    /// Blocks handed out during the run.
    pub total_blocks: u64,
    /// Bytes handed out during the run.
    pub total_bytes: u64,
    /// Blocks alive after everyone had left, less those alive before (after one round of warming up). 0 is none.
    pub remaining_blocks: i64,
    /// The same in bytes.
    pub remaining_bytes: i64,
}

/// Which part of a run this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: u32,
    /// How many there are; 1 is the whole.
    pub of: u32,
}

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Version of this form.
    pub schema: u32,
    /// Names the run; shards of one run share it.
    pub run_id: String,
    /// Which part this is.
    pub shard: Shard,
    /// Shards that are in here: all of 0…of for a whole.
    pub shards: Vec<u32>,
    /// Start in nanoseconds since 1970, by the wall clock.
    pub started_unix_ns: u128,
    /// Where the load went; empty for a server that the run started itself.
    pub url: String,
    /// What was asked for, thresholds and seed included.
    pub profile: Profile,
    /// What the target saw of us before the start: a connection to find out whether it is there, and a rehearsal.
    pub before: Tally,
    /// In order of time.
    pub intervals: Vec<Interval>,
    /// Errors in words, the most frequent first; at most 64 of a shard.
    pub error_samples: Vec<ErrorSample>,
    /// Where the target can be asked.
    pub allocations: Option<TargetAllocations>,
    /// Why it, or a shard in it, says nothing, where the intervals cannot tell.
    pub doubts: Vec<String>,
    /// A signal ended it early.
    pub interrupted: bool,
    /// Threads that generated the load.
    pub workers: u32,
    /// Processors of the machine it ran on.
    pub processors: u32,
}

/// The newest [`Run::schema`].
pub const SCHEMA: u32 = 1;

impl Run {
    /// Where the load went, in words.
    #[must_use]
    pub fn target(&self) -> &str {
        if self.url.is_empty() { "a server of its own" } else { &self.url }
    }

    /// Sum over the intervals that `keep` keeps.
    pub fn sum(&self, keep: impl Fn(&Interval) -> bool) -> Sample {
        let mut sum = Sample::default();
        for interval in self.intervals.iter().filter(|interval| keep(interval)) {
            sum.add(&interval.sample);
        }
        sum
    }

    /// How long the intervals that `keep` keeps were in all. Shards have their seconds in common.
    pub fn length(&self, keep: impl Fn(&Interval) -> bool) -> Duration {
        let kept = self.intervals.iter().filter(|interval| keep(interval));
        Duration::from_nanos(kept.map(|interval| interval.length_ns).sum())
    }
}
