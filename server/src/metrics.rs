//! The counters as OpenMetrics text.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode as encode_text;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::Context;
use crate::allocations::{self, Allocations};
use crate::clock::nanoseconds;
use crate::process::Process;
use crate::stats::{CLOSE_CODES, Counters, ErrorKind};

/// The media type of [`encode`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics now. The registry lives as long as the scrape, so that nothing is kept twice.
pub(crate) fn encode(context: &Context) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape {
        counters: context.stats.counters(),
        limit: context.stats.connection_limit(),
        uptime_ns: nanoseconds(context.config.clock.now()),
        allocations: allocations::current(),
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

type Encoded = Result<(), std::fmt::Error>;

/// One sample, or one for each value of a label.
enum Value<'a> {
    Gauge(f64),
    Counter(u64),
    CounterOfSeconds(f64),
    Gauges(&'static str, &'a [(&'a str, u64)]),
    Counters(&'static str, &'a [(&'a str, u64)]),
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Encoded {
        use Value::{Counter, CounterOfSeconds, Counters, Gauge, Gauges};

        let mut put = |name, help, unit, value| put(&mut encoder, name, help, unit, value);
        let seconds = Some(&Unit::Seconds);
        let bytes = Some(&Unit::Bytes);
        let now = &self.counters;
        let open = Gauge(now.connections_open as f64);
        let limit = Gauge(self.limit as f64);
        let sessions = [("echo", now.echo_open), ("dashboard", now.dashboard_open)];
        let messages = [("in", now.messages_in), ("out", now.messages_out)];
        let payload = [("in", now.bytes_in), ("out", now.bytes_out)];
        let snapshots = [("sent", now.snapshots_sent), ("skipped", now.snapshots_skipped)];
        let errors: [_; ErrorKind::ALL.len()] =
            std::array::from_fn(|i| (ErrorKind::ALL[i].name(), now.errors[i]));
        let codes = CLOSE_CODES.map(|code| code.to_string());
        let closes: [_; CLOSE_CODES.len()] =
            std::array::from_fn(|i| (codes[i].as_str(), now.closes[i]));

        let uptime = Gauge(self.uptime_ns as f64 / 1e9);
        put("uptime", "Time since the server began", seconds, uptime)?;
        put("ws_connections_open", "Open connections, HTTP and WebSocket", None, open)?;
        let help = "Open connections beyond which requests are refused";
        put("ws_connections_limit", help, None, limit)?;
        put("ws_sessions_open", "Open WebSockets by route", None, Gauges("route", &sessions))?;
        put("ws_connections", "Accepted connections", None, Counter(now.connections_total))?;
        let refused = Counter(now.connections_refused);
        put("ws_connections_refused", "Requests refused at the connection limit", None, refused)?;
        put("ws_upgrades", "Upgraded connections", None, Counter(now.upgrades_total))?;
        put("ws_messages", "Echo messages by direction", None, Counters("direction", &messages))?;
        let payload = Counters("direction", &payload);
        put("ws_payload_bytes", "Echo payload by direction", None, payload)?;
        put("ws_snapshots", "Dashboard snapshots by fate", None, Counters("fate", &snapshots))?;
        let help = "Times a subscriber reached its high watermark";
        put("ws_backpressure_events", help, None, Counter(now.backpressure_events))?;
        put("ws_errors", "Errors by kind", None, Counters("kind", &errors))?;
        let closes = Counters("code", &closes);
        put("ws_closes", "Closed WebSockets by code, 0 for any other", None, closes)?;

        // The names that Prometheus' own client libraries use.
        let Process { resident_bytes, cpu_ns, open_fds } = self.process;
        if let Some(resident) = resident_bytes {
            let resident = Gauge(resident as f64);
            put("process_resident_memory", "Resident memory of the process", bytes, resident)?;
        }
        if let Some(ns) = cpu_ns {
            let cpu = CounterOfSeconds(ns as f64 / 1e9);
            put("process_cpu", "Processor time of the process", seconds, cpu)?;
        }
        if let Some(count) = open_fds {
            let count = Gauge(count as f64);
            put("process_open_fds", "Open descriptors of the process", None, count)?;
        }

        let Some(heap) = self.allocations else { return Ok(()) };
        let (live_blocks, live) = (Gauge(heap.live_blocks as f64), Gauge(heap.live_bytes as f64));
        put("allocated_blocks", "Heap blocks ever allocated", None, Counter(heap.total_blocks))?;
        put("allocated", "Heap bytes ever allocated", bytes, Counter(heap.total_bytes))?;
        put("live_blocks", "Heap blocks not freed", None, live_blocks)?;
        put("live", "Heap bytes not freed", bytes, live)
    }
}

fn put(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    value: Value<'_>,
) -> Encoded {
    let kind = match value {
        Value::Gauge(_) | Value::Gauges(..) => MetricType::Gauge,
        _ => MetricType::Counter,
    };
    let mut encoder = to.encode_descriptor(name, help, unit, kind)?;
    match value {
        Value::Gauge(now) => ConstGauge::new(now).encode(encoder),
        Value::Counter(count) => ConstCounter::new(count).encode(encoder),
        Value::CounterOfSeconds(seconds) => ConstCounter::new(seconds).encode(encoder),
        Value::Gauges(label, samples) => samples.iter().try_for_each(|(of, now)| {
            ConstGauge::new(*now as f64).encode(encoder.encode_family(&[(label, *of)])?)
        }),
        Value::Counters(label, samples) => samples.iter().try_for_each(|(of, count)| {
            ConstCounter::new(*count).encode(encoder.encode_family(&[(label, *of)])?)
        }),
    }
}
