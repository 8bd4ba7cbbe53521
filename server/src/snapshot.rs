//! The state of the server at one tick: the message that dashboard subscribers get.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Serialize, Serializer};

use crate::Context;
use crate::allocations::Allocations;
use crate::clock::nanoseconds;
use crate::meter::Meter;
use crate::process::Process;
use crate::stats::{CLOSE_CODES, ErrorKind};

/// The beginning of a snapshot's JSON for a subscriber that missed nothing.
pub const UNSKIPPED: &str = r#"{"skipped":0,"#;

/// How many values of a point are rates, and how many are not.
pub(crate) const RATES: usize = 10;
const GAUGES: usize = 10;

/// Close codes of sessions without an error: also of a page that was left, and of a close frame without a code.
const ORDERLY: [u16; 3] = [1000, 1001, 1005];

/// The state of a server at one tick, serialised as JSON. Rates are over the last tick.
#[derive(Debug, Serialize)]
pub(crate) struct Snapshot {
    /// Snapshots that this subscriber missed just before this one.
    skipped: u64,
    /// 1 for the server's first snapshot, one more with each tick.
    seq: u64,
    version: &'static str,
    /// Time since the server's clock began.
    uptime_ns: u64,
    connections: Connections,
    messages: Messages,
    throughput: Throughput,
    /// Time from the first read of a batch until the kernel took the answers.
    handling: Handling,
    dashboard: Dashboard,
    #[serde(serialize_with = "as_map")]
    errors: [(&'static str, u64); ErrorKind::ALL.len()],
    #[serde(serialize_with = "as_map")]
    closes: [(u16, u64); CLOSE_CODES.len()],
    /// `None` if the allocator does not count.
    allocations: Option<AllocationMetrics>,
    process: Process,
}

#[derive(Debug, Serialize)]
struct Connections {
    open: u64,
    total: u64,
    /// Requests refused with 503.
    refused: u64,
    limit: u64,
    /// Open WebSockets on the echo route.
    echo: u64,
    /// Open WebSockets on the dashboard route.
    dashboard: u64,
}

/// Echo traffic since the start; bytes are payload.
#[derive(Debug, Serialize)]
struct Messages {
    received: u64,
    sent: u64,
    received_bytes: u64,
    sent_bytes: u64,
}

/// Echo traffic during the last tick, in messages received and in 10⁶ bits of payload.
#[derive(Debug, Serialize)]
struct Throughput {
    messages_per_s: f64,
    received_mbps: f64,
    sent_mbps: f64,
}

/// Handling times: since the start, and of the last tick.
#[derive(Debug, Serialize)]
struct Handling {
    total: Times,
    last: Times,
}

/// A distribution of times; all 0 if `count` is 0.
#[derive(Debug, Default, Serialize)]
struct Times {
    /// Batches timed.
    count: u64,
    mean_ns: u64,
    min_ns: u64,
    p50_ns: u64,
    p95_ns: u64,
    p99_ns: u64,
    p999_ns: u64,
    max_ns: u64,
}

#[derive(Debug, Serialize)]
struct Dashboard {
    sent: u64,
    /// Snapshots that subscribers did not get because they were paused or late.
    skipped: u64,
    /// Times a subscriber reached its high watermark, and peers that were dropped as stalled.
    backpressure_events: u64,
}

#[derive(Debug, Serialize)]
struct AllocationMetrics {
    #[serde(flatten)]
    totals: Allocations,
    blocks_per_s: f64,
}

fn as_map<K: Serialize, S: Serializer>(counts: &[(K, u64)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(counts.iter().map(|(name, count)| (name, count)))
}

impl Snapshot {
    /// The snapshot `json` for a subscriber that missed `skipped` snapshots before it.
    pub(crate) fn with_skipped(json: &str, skipped: u64) -> String {
        let rest = json.strip_prefix(UNSKIPPED).expect("every shared snapshot begins like this");
        format!(r#"{{"skipped":{skipped},{rest}"#)
    }

    pub(crate) fn uptime(&self) -> Duration {
        Duration::from_nanos(self.uptime_ns)
    }

    /// The values of [`crate::history::SERVER`], with rates and the handling times since the last call.
    pub(crate) fn point(
        &self,
        counted: &mut Meter<RATES>,
        handled: &Histogram<u64>,
    ) -> [f32; RATES + GAUGES] {
        let sum = |counts: &[u64]| counts.iter().sum::<u64>();
        let errors = self.errors.map(|(_, count)| count);
        let faults = [ErrorKind::Accept, ErrorKind::Internal].map(|kind| errors[kind as usize]);
        let closes = self.closes.map(|(_, count)| count);
        let orderly =
            self.closes.map(|(code, count)| if ORDERLY.contains(&code) { count } else { 0 });
        let heap = self.allocations.as_ref();
        let totals = [
            self.messages.sent,
            self.messages.sent_bytes,
            sum(&faults),
            sum(&errors) - sum(&faults),
            self.connections.refused,
            self.dashboard.backpressure_events,
            sum(&orderly),
            sum(&closes) - sum(&orderly),
            heap.map_or(0, |heap| heap.totals.total_blocks),
            self.process.cpu_ns.unwrap_or_default(),
        ];
        let mut rates = counted.advance(self.uptime(), totals);
        let [_, mbps, .., blocks, cpu] = &mut rates;
        *mbps *= 8e-6;
        *blocks = heap.map_or(f64::NAN, |_| *blocks);
        *cpu = self.process.cpu_ns.map_or(f64::NAN, |_| *cpu / 1e9);
        let [p50, p95, p99] = [0.5, 0.95, 0.99]
            .map(|quantile| (!handled.is_empty()).then(|| handled.value_at_quantile(quantile)));
        let Connections { open, echo, dashboard, .. } = self.connections;
        let gauges: [Option<u64>; GAUGES] = [
            p50,
            p95,
            p99,
            Some(echo),
            Some(dashboard),
            Some(open),
            heap.map(|heap| heap.totals.live_blocks),
            heap.map(|heap| heap.totals.live_bytes),
            self.process.resident_bytes,
            self.process.open_fds,
        ];
        std::array::from_fn(|at| match at.checked_sub(RATES) {
            None => rates[at] as f32,
            Some(at) => gauges[at].map_or(f32::NAN, |gauge| gauge as f32),
        })
    }

    pub(crate) fn take(
        seq: u64,
        context: &Context,
        meter: &mut Meter<4>,
        interval: &Histogram<u64>,
        total: &Histogram<u64>,
    ) -> Self {
        let now = context.config.clock.now();
        let counters = context.stats.counters();
        let allocated = context.allocations();
        let blocks = allocated.map_or(0, |allocated| allocated.total_blocks);
        let [messages_per_s, received, sent, blocks_per_s] = meter
            .advance(now, [counters.messages_in, counters.bytes_in, counters.bytes_out, blocks]);
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
            throughput: Throughput {
                messages_per_s,
                received_mbps: received * 8.0 / 1e6,
                sent_mbps: sent * 8.0 / 1e6,
            },
            handling: Handling { total: times(total), last: times(interval) },
            dashboard: Dashboard {
                sent: counters.snapshots_sent,
                skipped: counters.snapshots_skipped,
                backpressure_events: counters.backpressure_events,
            },
            errors: counters.errors_by_name(),
            closes: counters.closes_by_code(),
            allocations: allocated.map(|totals| AllocationMetrics { totals, blocks_per_s }),
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
