//! One line per interval, for a spreadsheet or a plot. The name of a column ends in its unit, unless it is a count.

use anyhow::Result;

use super::format;
use load_plan::metrics::Timing;
use load_plan::model::{Interval, Run};
use load_plan::outcome::{Ending, Fault};

/// Percentiles of each timing.
const PERCENTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)];

/// The file. Cells are empty without samples, for a percentile if fewer than ten values lie beyond it, and among values that
/// never ended.
pub(super) fn render(run: &Run) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for (index, interval) in run.intervals.iter().enumerate() {
        let cells = cells(run, interval);
        if index == 0 {
            writer.write_record(cells.iter().map(|(name, _)| name))?;
        }
        writer.write_record(cells.iter().map(|(_, value)| value))?;
    }
    Ok(writer.into_inner()?)
}

/// The columns in order: name and cell.
fn cells(run: &Run, interval: &Interval) -> Vec<(String, String)> {
    let counts = &interval.sample.counts;
    let seconds = interval.length_ns as f64 / 1e9;
    let per_s =
        |count: f64| if seconds > 0.0 { format!("{:.3}", count / seconds) } else { String::new() };
    let mbps = |bytes: u64| per_s(bytes as f64 * 8.0 / 1e6);
    let texts = [
        ("second", interval.second.to_string()),
        ("stage", interval.stage.to_string()),
        ("stage_name", format::stage(run, interval.stage)),
        ("phase", interval.phase.name().to_owned()),
        ("length_ns", interval.length_ns.to_string()),
        ("generator_cpu_processors", format!("{:.3}", interval.generator_cpu)),
        ("messages_per_s", per_s(counts.received as f64)),
        ("sent_mbps", mbps(counts.sent_bytes)),
        ("received_mbps", mbps(counts.received_bytes)),
    ];
    let numbers = [
        ("connections_open", interval.open),
        ("connections_target", interval.target),
        ("connections_attempted", counts.attempted),
        ("connections_opened", counts.opened),
        ("connections_failed", counts.failed()),
        ("messages_due", counts.due),
        ("messages_sent", counts.sent),
        ("messages_received", counts.received),
        ("sent_bytes", counts.sent_bytes),
        ("received_bytes", counts.received_bytes),
        ("sent_wire_bytes", counts.sent_wire_bytes),
        ("received_wire_bytes", counts.received_wire_bytes),
        ("backpressure_events", counts.backpressure_events),
        ("pings", counts.pings),
        ("pongs", counts.pongs),
        ("missed_updates", counts.missed_updates),
        ("provoked", counts.provoked),
        ("provoked_badly", counts.provoked_badly),
    ];
    let mut cells: Vec<_> = texts.map(|(name, text)| (name.to_owned(), text)).into();
    let mut add = |name: String, number: Option<u64>| {
        cells.push((name, number.map_or_else(String::new, |number| number.to_string())));
    };
    for (name, number) in numbers {
        add(name.to_owned(), Some(number));
    }
    for ending in Ending::ALL {
        add(format!("ended_{}", ending.name()), Some(counts.ended(ending)));
    }
    for fault in Fault::ALL {
        add(format!("messages_{}", fault.name()), Some(counts.faulty(fault)));
    }
    for timing in Timing::ALL {
        let (of, name) = (interval.sample.timing(timing), timing.name());
        add(format!("{name}_count"), Some(of.count));
        add(format!("{name}_lost"), Some(of.lost));
        add(format!("{name}_min_ns"), of.least_ns());
        add(format!("{name}_mean_ns"), of.mean_ns().map(|mean| mean.round_ties_even() as u64));
        for (percentile, quantile) in PERCENTILES {
            add(format!("{name}_{percentile}_ns"), of.supported_ns(quantile));
        }
        add(format!("{name}_max_ns"), of.greatest_ns());
    }
    cells
}
