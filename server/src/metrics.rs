//! The counters as OpenMetrics text.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode as encode_text;
use prometheus_client::encoding::{DescriptorEncoder, EncodeCounterValue, EncodeMetric};
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

/// All metrics now. The registry lives as long as the scrape: nothing is kept twice.
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

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Encoded {
        let to = &mut encoder;
        let now = &self.counters;
        gauge(
            to,
            "uptime",
            "Time since the server began",
            Some(&Unit::Seconds),
            self.uptime_ns as f64 / 1e9,
        )?;
        let open = now.connections_open as f64;
        gauge(to, "ws_connections_open", "Open connections, HTTP and WebSocket", None, open)?;
        gauge(
            to,
            "ws_connections_limit",
            "Open connections beyond which requests are refused",
            None,
            self.limit as f64,
        )?;
        let routes = [("echo", now.echo_open), ("dashboard", now.dashboard_open)];
        family(
            to,
            MetricType::Gauge,
            "ws_sessions_open",
            "Open WebSockets by route",
            "route",
            &routes,
        )?;
        counter(to, "ws_connections", "Accepted connections", None, now.connections_total)?;
        counter(
            to,
            "ws_connections_refused",
            "Requests refused at the connection limit",
            None,
            now.connections_refused,
        )?;
        counter(to, "ws_upgrades", "Upgraded connections", None, now.upgrades_total)?;
        let messages = [("in", now.messages_in), ("out", now.messages_out)];
        family(
            to,
            MetricType::Counter,
            "ws_messages",
            "Echo messages by direction",
            "direction",
            &messages,
        )?;
        let bytes = [("in", now.bytes_in), ("out", now.bytes_out)];
        family(
            to,
            MetricType::Counter,
            "ws_payload_bytes",
            "Echo payload by direction",
            "direction",
            &bytes,
        )?;
        let snapshots = [("sent", now.snapshots_sent), ("skipped", now.snapshots_skipped)];
        family(
            to,
            MetricType::Counter,
            "ws_snapshots",
            "Dashboard snapshots by fate",
            "fate",
            &snapshots,
        )?;
        let events = now.backpressure_events;
        counter(
            to,
            "ws_backpressure_events",
            "Times a subscriber reached its high watermark",
            None,
            events,
        )?;
        let errors = std::array::from_fn::<_, { ErrorKind::ALL.len() }, _>(|i| {
            (ErrorKind::ALL[i].name(), now.errors[i])
        });
        family(to, MetricType::Counter, "ws_errors", "Errors by kind", "kind", &errors)?;
        let codes = CLOSE_CODES.map(|code| code.to_string());
        let closes = std::array::from_fn::<_, { CLOSE_CODES.len() }, _>(|i| {
            (codes[i].as_str(), now.closes[i])
        });
        family(
            to,
            MetricType::Counter,
            "ws_closes",
            "Closed WebSockets by code, 0 for any other",
            "code",
            &closes,
        )?;
        self.encode_process(to)?;
        let Some(allocated) = self.allocations else { return Ok(()) };
        counter(
            to,
            "allocated_blocks",
            "Heap blocks ever handed out",
            None,
            allocated.total_blocks,
        )?;
        counter(
            to,
            "allocated",
            "Heap bytes ever handed out",
            Some(&Unit::Bytes),
            allocated.total_bytes,
        )?;
        gauge(to, "live_blocks", "Heap blocks not given back", None, allocated.live_blocks as f64)?;
        gauge(
            to,
            "live",
            "Heap bytes not given back",
            Some(&Unit::Bytes),
            allocated.live_bytes as f64,
        )
    }
}

impl Scrape {
    /// By the names that Prometheus' own clients have for them.
    fn encode_process(&self, to: &mut DescriptorEncoder<'_>) -> Encoded {
        let Process { resident_bytes, cpu_ns, open_fds } = self.process;
        if let Some(bytes) = resident_bytes {
            let help = "Resident memory of the process";
            gauge(to, "process_resident_memory", help, Some(&Unit::Bytes), bytes as f64)?;
        }
        if let Some(ns) = cpu_ns {
            let help = "Processor time of the process";
            counter(to, "process_cpu", help, Some(&Unit::Seconds), ns as f64 / 1e9)?;
        }
        if let Some(count) = open_fds {
            let help = "Open descriptors of the process";
            gauge(to, "process_open_fds", help, None, count as f64)?;
        }
        Ok(())
    }
}

fn counter<N: EncodeCounterValue>(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    value: N,
) -> Encoded {
    ConstCounter::new(value).encode(to.encode_descriptor(name, help, unit, MetricType::Counter)?)
}

fn gauge(
    to: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    value: f64,
) -> Encoded {
    ConstGauge::new(value).encode(to.encode_descriptor(name, help, unit, MetricType::Gauge)?)
}

fn family(
    to: &mut DescriptorEncoder<'_>,
    kind: MetricType,
    name: &str,
    help: &str,
    label: &str,
    values: &[(&str, u64)],
) -> Encoded {
    let mut encoder = to.encode_descriptor(name, help, None, kind)?;
    for (value, count) in values {
        let labels = [(label, *value)];
        let encoder = encoder.encode_family(&labels)?;
        match kind {
            MetricType::Counter => ConstCounter::new(*count).encode(encoder)?,
            _ => ConstGauge::new(*count as f64).encode(encoder)?,
        }
    }
    Ok(())
}
