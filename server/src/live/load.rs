use std::collections::BTreeMap;

use serde::Serialize;

/// A run of a load generator at one moment: all that the page's load view shows.
///
/// Rates and times are those of the newest whole interval, a second or so, and a point in the page's charts; once there
/// is a verdict they are those of the whole run, and no point. Counts are since the run's start. `None` says that there is
/// no such number, which is not the same as 0.
#[derive(Clone, Debug, Serialize)]
pub struct Load<'a> {
    /// Names the run: where it changes, the page begins anew.
    pub run_id: &'a str,
    /// The profile's name.
    pub profile: &'a str,
    /// Where the load goes.
    pub url: &'a str,
    /// The verdict, once there is one.
    pub state: State,
    /// Why the verdict is what it is, in words.
    pub reasons: &'a [String],
    /// Time since the run's start, in nanoseconds: the page's axis of time.
    pub elapsed_ns: u64,
    /// How long the run is to be, ramps included, in nanoseconds.
    pub planned_ns: u64,
    /// Where in the plan it is; `None` before and after.
    pub stage: Option<Stage<'a>>,
    /// Where stages and their phases began, so far.
    pub marks: Vec<Mark<'a>>,
    /// The timing that [`Load::latency`] is of and that thresholds judge: `rtt_intended`, `rtt_service`.
    pub judged: &'a str,
    /// Times of the newest interval; `None` if nothing was answered in it.
    pub latency: Option<Latency>,
    /// In the order of the profile.
    pub thresholds: Vec<Threshold<'a>>,
    /// Messages that were due a second; `None` where answers set the pace.
    pub offered_per_s: Option<f64>,
    /// Messages sent a second.
    pub achieved_per_s: f64,
    /// Payload sent, in 10⁶ bits a second.
    pub sent_mbps: f64,
    /// Payload received, in 10⁶ bits a second.
    pub received_mbps: f64,
    /// Connections open now.
    pub open: u64,
    /// Connections that should be open now.
    pub target: u64,
    /// What went wrong since the start.
    pub errors: Errors<'a>,
    /// Times a connection did not take a message that was due, since the start.
    pub backpressure_events: u64,
    /// How late the generator itself was, 99th percentile in nanoseconds; `None` where nothing was due.
    pub lag_p99_ns: Option<u64>,
    /// Processors that the generator used: 0.5 is half of one.
    pub generator_cpu: f64,
}

/// Whether a run goes on, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It goes on.
    Running,
    /// Every threshold holds.
    Pass,
    /// A threshold is violated.
    Fail,
    /// The measurement cannot be trusted.
    Invalid,
    /// A part of it is missing.
    Incomplete,
    /// Somebody ended it early.
    Interrupted,
}

/// What a stage is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Connections are being opened or closed.
    Ramp,
    /// All are open; nothing is judged yet.
    WarmUp,
    /// What is judged.
    Hold,
    /// Answers are awaited and connections closed.
    Drain,
}

/// Where in its plan a run is.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Stage<'a> {
    /// From 0.
    pub index: usize,
    /// The stage's name.
    pub name: &'a str,
    /// What it is at.
    pub phase: Phase,
}

/// The beginning of a stage's phase.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Mark<'a> {
    /// Nanoseconds since the run's start.
    pub at_ns: u64,
    /// The stage's name.
    pub name: &'a str,
    /// What began.
    pub phase: Phase,
}

/// A distribution in four numbers, in nanoseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    /// Median.
    pub p50_ns: u64,
    /// 95th percentile.
    pub p95_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// Longest.
    pub max_ns: u64,
}

/// A limit, and how what it limits stands to it so far.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Threshold<'a> {
    /// What is limited: `latency_p99`. The page draws a limit of `latency_` beside the latencies.
    pub metric: &'a str,
    /// The stage that it is about; `None` is the whole run.
    pub stage: Option<&'a str>,
    /// `<`, `<=`, `>`, `>=`, `==`.
    pub op: &'a str,
    /// The limit, in `unit`.
    pub limit: f64,
    /// `ns`, `bytes`, `share` (0 to 1), `count`, `per_s` or `mbps`.
    pub unit: &'a str,
    /// What was measured so far, in `unit`; `None` if there are no samples.
    pub value: Option<f64>,
    /// Share of the limit that `value` leaves, below 0 if it is beyond; `None` of a limit of 0.
    pub margin: Option<f64>,
    /// Whether it holds; `None` if there are no samples.
    pub met: Option<bool>,
}

/// Errors by kind.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Errors<'a> {
    /// All of them.
    pub total: u64,
    /// Those that occurred, by name.
    pub by_kind: BTreeMap<&'a str, u64>,
}
