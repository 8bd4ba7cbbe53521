//! The shape of `report.json`. What is said here of a field is said in the schema.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::report::format;
use crate::validator::RunVerdict;
use load_plan::metrics::Timing;
use load_plan::model::Phase;
use load_plan::outcome::{Ending, Fault};
use load_plan::profile::Profile;
use load_plan::thresholds::Op;

/// A run of ws-load. Durations are in nanoseconds, shares are of 1.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Report {
    /// Version of this form.
    pub(super) schema: u32,
    /// `ws-load`.
    pub(super) tool: String,
    /// Of the tool.
    pub(super) version: String,
    /// The outcome. Of these only `pass` is one.
    #[schemars(schema_with = "verdicts")]
    pub(super) verdict: RunVerdict,
    /// Why it is not a pass, in words.
    pub(super) reasons: Vec<String>,
    /// What else to know, in words.
    pub(super) notices: Vec<String>,
    /// Where, when, and of what it is a part.
    pub(super) run: Origin,
    /// What was asked for, as in TOML; durations and sizes are text with a unit.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub(super) profile: Profile,
    /// Of the whole run first, then stage by stage.
    pub(super) thresholds: Vec<Check>,
    /// The whole run.
    pub(super) overall: Stretch,
    /// In the order of the profile.
    pub(super) stages: Vec<Stage>,
    /// In order of time, each at most a second long.
    pub(super) intervals: Vec<Interval>,
    /// Errors in words, the most frequent first.
    pub(super) details: Vec<Detail>,
    /// What the target's own allocator says; null where it cannot be asked.
    pub(super) allocations: Option<Allocations>,
    /// What the target saw before the start: a connection to find out whether it is there, and a rehearsal where its
    /// allocations are asked for. Not part of any other number.
    pub(super) before: Counts,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Origin {
    /// Names the run; shards of one run share it. Of several whole runs, all names with a `+` between them.
    pub(super) run_id: String,
    /// Which part this is.
    pub(super) shard: Shard,
    /// Shards that are in here.
    pub(super) shards: Vec<u32>,
    /// Where the load went.
    pub(super) url: String,
    /// Start in nanoseconds since 1970, by the wall clock.
    pub(super) started_unix_ns: u64,
    /// Threads that generated the load.
    pub(super) workers: u32,
    /// Processors of the machine, or machines, it ran on.
    pub(super) processors: u32,
    /// Why it, or a shard in it, says nothing, where the intervals cannot tell.
    pub(super) doubts: Vec<String>,
    /// A signal ended it early.
    pub(super) interrupted: bool,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Shard {
    /// From 0.
    pub(super) index: u32,
    /// How many there are; 1 is the whole.
    pub(super) of: u32,
}

/// A threshold against what was measured.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Check {
    pub(super) metric: String,
    /// The name of the stage that it is on; null of the whole run.
    pub(super) stage: Option<String>,
    #[schemars(schema_with = "ops")]
    pub(super) op: String,
    /// In `unit`.
    pub(super) limit: f64,
    pub(super) unit: String,
    /// In `unit`; null without samples.
    pub(super) measured: Option<f64>,
    /// Observations that it rests on.
    pub(super) samples: u64,
    /// Share of the limit that is left, negative if it is violated; null without samples, or of a limit of 0.
    pub(super) margin: Option<f64>,
    /// Whether it holds. Without samples it does not.
    pub(super) met: bool,
    /// Nanoseconds from the start to the first interval that violates it; null if there is none.
    pub(super) first_violated_ns: Option<u64>,
    /// At most five intervals, the worst first.
    pub(super) worst: Vec<Moment>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Moment {
    /// Whole seconds since the start.
    pub(super) second: u64,
    /// The metric in that interval alone, in `unit`.
    pub(super) value: f64,
}

/// Counts are of all of the time, ramps included; rates and latencies of holds only.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Stretch {
    /// Length of the holds.
    pub(super) length_ns: u64,
    pub(super) counts: Counts,
    pub(super) rates: Rates,
    pub(super) errors: Errors,
    /// The latencies that thresholds are on: `rtt_intended` in an open loop, `rtt_service` in a closed one, both with a
    /// `+` between them in a mixed run; null where no message is sent.
    pub(super) judged: Option<String>,
    /// Those latencies; null without samples.
    pub(super) latency: Option<Spread>,
    /// Only those with samples. `connect` is of all of the time.
    #[schemars(schema_with = "timings")]
    pub(super) timings: BTreeMap<Timing, Spread>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Stage {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) stretch: Stretch,
}

/// Sums over connections. Of an interval, endings and faults that did not happen are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(super) struct Counts {
    /// Connections begun.
    pub(super) attempted: u64,
    /// Of those, upgraded.
    pub(super) opened: u64,
    /// Of those attempted, how many ended how. They add up to `attempted` over the whole run.
    #[schemars(schema_with = "endings")]
    pub(super) endings: BTreeMap<Ending, u64>,
    /// Messages sent.
    pub(super) sent: u64,
    /// Messages that an open loop had due, sent or not.
    pub(super) due: u64,
    /// Messages answered, rightly or not; of a subscription, messages received.
    pub(super) received: u64,
    /// Payload.
    pub(super) sent_bytes: u64,
    /// Payload.
    pub(super) received_bytes: u64,
    /// Payload and frame headers, without TLS and TCP.
    pub(super) sent_wire_bytes: u64,
    /// Payload and frame headers, without TLS and TCP.
    pub(super) received_wire_bytes: u64,
    /// Times a connection did not take a message that was due because its buffers were full.
    pub(super) backpressure_events: u64,
    /// Pings sent.
    pub(super) pings: u64,
    /// Pongs received.
    pub(super) pongs: u64,
    /// Updates that a subscription's own numbers say were skipped.
    pub(super) missed_updates: u64,
    /// Messages at fault.
    #[schemars(schema_with = "faults")]
    pub(super) faults: BTreeMap<Fault, u64>,
    /// Provocations of a hostile profile that were tried.
    pub(super) provoked: u64,
    /// Of those, the ones the target did not answer as it should.
    pub(super) provoked_badly: u64,
}

/// Of holds; null where none was measured.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Rates {
    /// Received.
    pub(super) messages_per_s: Option<f64>,
    pub(super) sent_per_s: Option<f64>,
    /// What an open loop had due.
    pub(super) due_per_s: Option<f64>,
    /// Sent, of what an open loop had due: a share.
    pub(super) achieved: Option<f64>,
    /// Payload.
    pub(super) sent_mbps: Option<f64>,
    /// Payload.
    pub(super) received_mbps: Option<f64>,
    /// Payload and frame headers.
    pub(super) sent_wire_mbps: Option<f64>,
    /// Payload and frame headers.
    pub(super) received_wire_mbps: Option<f64>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Errors {
    /// Faults of messages, and connections that ended otherwise than they should.
    pub(super) count: u64,
    /// Of connections and messages tried; null if nothing was.
    pub(super) share: Option<f64>,
}

/// Times. A percentile is null that fewer than ten values lie beyond.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Spread {
    pub(super) count: u64,
    pub(super) sum_ns: u64,
    pub(super) min_ns: u64,
    pub(super) mean_ns: f64,
    pub(super) p50_ns: Option<u64>,
    pub(super) p90_ns: Option<u64>,
    pub(super) p95_ns: Option<u64>,
    pub(super) p99_ns: Option<u64>,
    pub(super) p999_ns: Option<u64>,
    pub(super) p9999_ns: Option<u64>,
    pub(super) max_ns: u64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Interval {
    /// Whole seconds since the start.
    pub(super) second: u64,
    /// From 0, in the order of `stages`.
    pub(super) stage: usize,
    /// Connections are opened or closed; all are open and get warm; what is measured; answers are awaited.
    #[schemars(schema_with = "phases")]
    pub(super) phase: Phase,
    pub(super) length_ns: u64,
    /// Connections open at its end.
    pub(super) open: u64,
    /// Connections that should have been open at its end.
    pub(super) target: u64,
    /// Processors that the generator used: 0.5 is half of one.
    pub(super) generator_cpu: f64,
    pub(super) counts: Counts,
    /// Only those with samples; their buckets are in `intervals.hlog`.
    #[schemars(schema_with = "timings")]
    pub(super) timings: BTreeMap<Timing, Spread>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Detail {
    /// An ending, a fault, or a provocation.
    pub(super) kind: String,
    pub(super) text: String,
    /// How often.
    pub(super) count: u64,
    /// Nanoseconds from the start to the first.
    pub(super) first_ns: u64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Allocations {
    /// Heap blocks handed out during the run.
    pub(super) total_blocks: u64,
    /// Heap bytes handed out during the run.
    pub(super) total_bytes: u64,
    /// Blocks alive after everyone had left, less those alive before.
    pub(super) remaining_blocks: i64,
    /// The same in bytes.
    pub(super) remaining_bytes: i64,
}

fn one_of<const N: usize>(names: [&str; N]) -> Schema {
    schemars::json_schema!({ "type": "string", "enum": names.to_vec() })
}

/// An object with any of these keys and no other.
fn keyed<const N: usize>(names: [&str; N], value: &Schema) -> Schema {
    let properties: BTreeMap<_, _> = names.into_iter().map(|name| (name, value)).collect();
    schemars::json_schema!({ "type": "object", "properties": json!(properties), "additionalProperties": false })
}

fn verdicts(_: &mut SchemaGenerator) -> Schema {
    one_of(RunVerdict::ALL.map(RunVerdict::name))
}

fn phases(_: &mut SchemaGenerator) -> Schema {
    one_of(format::PHASES.map(format::phase))
}

fn ops(_: &mut SchemaGenerator) -> Schema {
    one_of(Op::ALL.map(Op::symbol))
}

fn endings(generator: &mut SchemaGenerator) -> Schema {
    keyed(Ending::ALL.map(Ending::name), &generator.subschema_for::<u64>())
}

fn faults(generator: &mut SchemaGenerator) -> Schema {
    keyed(Fault::ALL.map(Fault::name), &generator.subschema_for::<u64>())
}

fn timings(generator: &mut SchemaGenerator) -> Schema {
    keyed(Timing::ALL.map(Timing::name), &generator.subschema_for::<Spread>())
}
