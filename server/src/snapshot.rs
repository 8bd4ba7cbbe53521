//! The state of the server at one tick: the message that dashboard subscribers get.

use hdrhistogram::Histogram;
use serde::Serialize;
use serde::ser::SerializeMap;

use crate::Context;
use crate::allocations;
use crate::clock::nanoseconds;
use crate::meter::Meter;
pub use crate::meter::Throughput;
use crate::process::Process;
use crate::stats::{CLOSE_CODES, ErrorKind};

/// The state of a server at one tick, serialised as JSON. Rates are over the last tick.
#[derive(Debug, Serialize)]
pub struct Snapshot {
    /// Snapshots that this subscriber missed just before this one.
    pub skipped: u64,
    /// 1 for the server's first snapshot, one more with each tick.
    pub seq: u64,
    /// Version of the server.
    pub version: &'static str,
    /// Time since the server's clock began.
    pub uptime_ns: u64,
    /// Connections by state and route.
    pub connections: Connections,
    /// Echo traffic since the start.
    pub messages: Messages,
    /// Echo traffic during the last tick.
    pub throughput: Throughput,
    /// Time from the first read of a batch until the kernel took the answers.
    pub handling: Handling,
    /// Dashboard traffic and its back-pressure.
    pub dashboard: Dashboard,
    /// Errors by kind.
    pub errors: ByName<{ ErrorKind::ALL.len() }>,
    /// Closed WebSockets by close code; 0 is any other.
    pub closes: ByName<{ CLOSE_CODES.len() }>,
    /// Allocations of the process; `None` if the allocator does not count.
    pub allocations: Option<AllocationMetrics>,
    /// The process in which the server runs.
    pub process: Process,
}

/// Connections by state and route.
#[derive(Debug, Serialize)]
pub struct Connections {
    /// Open now.
    pub open: u64,
    /// Accepted since the start.
    pub total: u64,
    /// Requests refused with 503.
    pub refused: u64,
    /// Open connections beyond which requests are refused.
    pub limit: u64,
    /// Open WebSockets on the echo route.
    pub echo: u64,
    /// Open WebSockets on the dashboard route.
    pub dashboard: u64,
}

/// Messages and payload bytes, in both directions.
#[derive(Debug, Serialize)]
pub struct Messages {
    /// Messages received.
    pub received: u64,
    /// Messages written.
    pub sent: u64,
    /// Payload bytes received.
    pub received_bytes: u64,
    /// Payload bytes written.
    pub sent_bytes: u64,
}

/// Handling times: since the start, and of the last tick.
#[derive(Debug, Serialize)]
pub struct Handling {
    /// Since the start.
    pub total: Times,
    /// During the last tick.
    pub last: Times,
}

/// A distribution of times in nanoseconds; all 0 if `count` is 0.
#[derive(Debug, Default, Serialize)]
pub struct Times {
    /// Batches timed.
    pub count: u64,
    /// Arithmetic mean.
    pub mean_ns: u64,
    /// Shortest.
    pub min_ns: u64,
    /// Median.
    pub p50_ns: u64,
    /// 95th percentile.
    pub p95_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// 99.9th percentile.
    pub p999_ns: u64,
    /// Longest.
    pub max_ns: u64,
}

/// Snapshots sent and skipped.
#[derive(Debug, Serialize)]
pub struct Dashboard {
    /// Snapshots sent to subscribers.
    pub sent: u64,
    /// Snapshots that subscribers did not get because they were paused or late.
    pub skipped: u64,
    /// Times a subscriber reached its high watermark.
    pub backpressure_events: u64,
}

/// The counts of the allocator, for the whole process.
#[derive(Debug, Serialize)]
pub struct AllocationMetrics {
    /// Blocks ever allocated.
    pub total_blocks: u64,
    /// Bytes ever allocated.
    pub total_bytes: u64,
    /// Blocks not freed: the remaining allocations.
    pub remaining_blocks: u64,
    /// Bytes not freed.
    pub remaining_bytes: u64,
    /// Blocks allocated per second, over the last tick.
    pub blocks_per_s: f64,
}

/// Counts by name, serialised as a map.
#[derive(Debug)]
pub struct ByName<const N: usize>([(Name, u64); N]);

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
enum Name {
    Kind(&'static str),
    Code(u16),
}

impl<const N: usize> Serialize for ByName<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(N))?;
        for (name, count) in &self.0 {
            map.serialize_entry(name, count)?;
        }
        map.end()
    }
}

impl Snapshot {
    /// The beginning of a snapshot's JSON for a subscriber that missed nothing.
    pub const UNSKIPPED: &'static str = r#"{"skipped":0,"#;

    /// The snapshot `json` for a subscriber that missed `skipped` snapshots before it.
    pub(crate) fn with_skipped(json: &str, skipped: u64) -> String {
        let rest =
            json.strip_prefix(Self::UNSKIPPED).expect("every shared snapshot begins like this");
        format!(r#"{{"skipped":{skipped},{rest}"#)
    }

    pub(crate) fn take(
        seq: u64,
        context: &Context,
        meter: &mut Meter,
        interval: &Histogram<u64>,
        total: &Histogram<u64>,
    ) -> Self {
        let now = context.config.clock.now();
        let counters = context.stats.counters();
        let allocated = allocations::current();
        let rates = meter.advance(now, &counters, allocated);
        Self {
            skipped: 0,
            seq,
            version: env!("CARGO_PKG_VERSION"),
            uptime_ns: nanoseconds(now),
            connections: Connections {
                open: counters.connections_open,
                total: counters.connections_total,
                refused: counters.connections_refused,
                limit: context.stats.connection_limit(),
                echo: counters.echo_open,
                dashboard: counters.dashboard_open,
            },
            messages: Messages {
                received: counters.messages_in,
                sent: counters.messages_out,
                received_bytes: counters.bytes_in,
                sent_bytes: counters.bytes_out,
            },
            throughput: rates.throughput,
            handling: Handling { total: times(total), last: times(interval) },
            dashboard: Dashboard {
                sent: counters.snapshots_sent,
                skipped: counters.snapshots_skipped,
                backpressure_events: counters.backpressure_events,
            },
            errors: ByName(std::array::from_fn(|i| {
                (Name::Kind(ErrorKind::ALL[i].name()), counters.errors[i])
            })),
            closes: ByName(std::array::from_fn(|i| {
                (Name::Code(CLOSE_CODES[i]), counters.closes[i])
            })),
            allocations: allocated.map(|allocated| AllocationMetrics {
                total_blocks: allocated.total_blocks,
                total_bytes: allocated.total_bytes,
                remaining_blocks: allocated.live_blocks,
                remaining_bytes: allocated.live_bytes,
                blocks_per_s: rates.blocks_per_s,
            }),
            process: context.process(),
        }
    }
}

fn times(histogram: &Histogram<u64>) -> Times {
    if histogram.is_empty() {
        return Times::default();
    }
    Times {
        count: histogram.len(),
        mean_ns: histogram.mean() as u64,
        min_ns: histogram.min(),
        p50_ns: histogram.value_at_quantile(0.5),
        p95_ns: histogram.value_at_quantile(0.95),
        p99_ns: histogram.value_at_quantile(0.99),
        p999_ns: histogram.value_at_quantile(0.999),
        max_ns: histogram.max(),
    }
}
