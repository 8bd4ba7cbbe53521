//! The counters as OpenMetrics text.

use std::fmt::Error;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode as encode_text;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::Context;
use crate::allocations::Allocations;
use crate::clock::nanoseconds;
use crate::process::Process;
use crate::stats::{CLOSE_CODES, Counters};

/// The media type of [`encode`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics now. The registry lives as long as the scrape, so that nothing is kept twice.
pub(crate) fn encode(context: &Context) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape {
        counters: context.stats.counters(),
        limit: context.stats.connection_limit(),
        uptime_ns: nanoseconds(context.config.clock.now()),
        allocations: context.allocations(),
        process: context.process(),
    }));
    let mut text = String::new();
    encode_text(&mut text, &registry).expect("a string takes everything");
    text
}

#[derive(Debug)]
struct Scrape {
    counters: Counters,
    limit: u64,
    uptime_ns: u64,
    allocations: Option<Allocations>,
    process: Process,
}

/// One sample, or one for each value of a label. With the unit seconds, samples are nanoseconds.
enum Value<'a> {
    Gauge(u64),
    Counter(u64),
    Gauges(&'static str, &'a [(&'a str, u64)]),
    Counters(&'static str, &'a [(&'a str, u64)]),
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        use Value::{Counter, Counters, Gauge, Gauges};

        let to = &mut encoder;
        let seconds = Some(&Unit::Seconds);
        let bytes = Some(&Unit::Bytes);
        let now = &self.counters;
        let sessions = [("echo", now.echo_open), ("dashboard", now.dashboard_open)];
        let messages = [("in", now.messages_in), ("out", now.messages_out)];
        let payload = [("in", now.bytes_in), ("out", now.bytes_out)];
        let snapshots = [("sent", now.snapshots_sent), ("skipped", now.snapshots_skipped)];
        let codes = CLOSE_CODES.map(|code| code.to_string());
        let closes: [_; CLOSE_CODES.len()] =
            std::array::from_fn(|i| (codes[i].as_str(), now.closes[i]));

        put(to, "uptime", "Time since the server began", seconds, Gauge(self.uptime_ns))?;
        let help = "Open connections, HTTP and WebSocket";
        put(to, "ws_connections_open", help, None, Gauge(now.connections_open))?;
        let help = "Open connections beyond which requests are refused";
        put(to, "ws_connections_limit", help, None, Gauge(self.limit))?;
        let help = "Open WebSockets by route";
        put(to, "ws_sessions_open", help, None, Gauges("route", &sessions))?;
        put(to, "ws_connections", "Accepted connections", None, Counter(now.connections_total))?;
        let help = "Requests refused at the connection limit";
        put(to, "ws_connections_refused", help, None, Counter(now.connections_refused))?;
        put(to, "ws_upgrades", "Upgraded connections", None, Counter(now.upgrades_total))?;
        let help = "Echo messages by direction";
        put(to, "ws_messages", help, None, Counters("direction", &messages))?;
        let help = "Echo payload by direction";
        put(to, "ws_payload_bytes", help, None, Counters("direction", &payload))?;
        let help = "Dashboard snapshots by fate";
        put(to, "ws_snapshots", help, None, Counters("fate", &snapshots))?;
        let help = "Subscribers that reached their high watermark, and stalled peers";
        put(to, "ws_backpressure_events", help, None, Counter(now.backpressure_events))?;
        put(to, "ws_errors", "Errors by kind", None, Counters("kind", &now.errors_by_name()))?;
        let help = "Closed WebSockets by code, 0 for any other";
        put(to, "ws_closes", help, None, Counters("code", &closes))?;

        // The names that Prometheus' own client libraries use.
        let Process { resident_bytes, cpu_ns, open_fds } = self.process;
        let help = "Resident memory of the process";
        put(to, "process_resident_memory", help, bytes, resident_bytes.map(Gauge))?;
        put(to, "process_cpu", "Processor time of the process", seconds, cpu_ns.map(Counter))?;
        put(to, "process_open_fds", "Open descriptors of the process", None, open_fds.map(Gauge))?;

        let Some(heap) = self.allocations else { return Ok(()) };
        let help = "Heap blocks ever allocated";
        put(to, "allocated_blocks", help, None, Counter(heap.total_blocks))?;
        put(to, "allocated", "Heap bytes ever allocated", bytes, Counter(heap.total_bytes))?;
        put(to, "live_blocks", "Heap blocks not freed", None, Gauge(heap.live_blocks))?;
        put(to, "live", "Heap bytes not freed", bytes, Gauge(heap.live_bytes))
    }
}

fn put<'a>(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    value: impl Into<Option<Value<'a>>>,
) -> Result<(), Error> {
    let Some(value) = value.into() else { return Ok(()) };
    let is_time = matches!(unit, Some(Unit::Seconds));
    let gauge = |now: u64| ConstGauge::new(if is_time { now as f64 / 1e9 } else { now as f64 });
    let kind = match value {
        Value::Gauge(_) | Value::Gauges(..) => MetricType::Gauge,
        _ => MetricType::Counter,
    };
    let mut encoder = to.encode_descriptor(name, help, unit, kind)?;
    match value {
        Value::Gauge(now) => gauge(now).encode(encoder),
        Value::Counter(ns) if is_time => ConstCounter::new(ns as f64 / 1e9).encode(encoder),
        Value::Counter(count) => ConstCounter::new(count).encode(encoder),
        Value::Gauges(label, samples) => samples
            .iter()
            .try_for_each(|(of, now)| gauge(*now).encode(encoder.encode_family(&[(label, *of)])?)),
        Value::Counters(label, samples) => samples.iter().try_for_each(|(of, count)| {
            ConstCounter::new(*count).encode(encoder.encode_family(&[(label, *of)])?)
        }),
    }
}
