//! One line per interval, for a spreadsheet or a plot. The name of a column ends in its unit, unless it is a count.

use anyhow::Result;

use super::format;
use load_plan::metrics::{Distribution, Timing};
use load_plan::model::{Interval, Run};
use load_plan::outcome::{Ending, Fault};

/// Percentiles of each timing.
const PERCENTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)];

/// The file. Cells are empty without samples, and for a percentile if fewer than ten values lie beyond it.
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
    let mut cells = vec![
        ("second".to_owned(), interval.second.to_string()),
        ("stage".to_owned(), interval.stage.to_string()),
        ("stage_name".to_owned(), format::stage(run, interval.stage)),
        ("phase".to_owned(), interval.phase.name().to_owned()),
        ("length_ns".to_owned(), interval.length_ns.to_string()),
        ("generator_cpu_processors".to_owned(), format!("{:.3}", interval.generator_cpu)),
    ];
    let rates = [
        ("messages_per_s", per_s(counts.received as f64)),
        ("sent_mbps", mbps(counts.sent_bytes)),
        ("received_mbps", mbps(counts.received_bytes)),
    ];
    cells.extend(rates.map(|(name, value)| (name.to_owned(), value)));
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
    let endings =
        Ending::ALL.map(|ending| (format!("ended_{}", ending.name()), counts.ended(ending)));
    let faults =
        Fault::ALL.map(|fault| (format!("messages_{}", fault.name()), counts.faulty(fault)));
    let numbers = numbers.map(|(name, number)| (name.to_owned(), number));
    let numbers = numbers.into_iter().chain(endings).chain(faults);
    cells.extend(numbers.map(|(name, number)| (name, number.to_string())));
    for timing in Timing::ALL {
        cells.extend(spread(timing.name(), interval.sample.timing(timing)));
    }
    cells
}

fn spread(name: &str, distribution: &Distribution) -> Vec<(String, String)> {
    let any = |ns: u64| if distribution.count > 0 { ns.to_string() } else { String::new() };
    let mean = distribution.mean_ns().map_or_else(String::new, |mean| format!("{mean:.0}"));
    let mut cells = vec![
        (format!("{name}_count"), distribution.count.to_string()),
        (format!("{name}_min_ns"), any(distribution.min_ns)),
        (format!("{name}_mean_ns"), mean),
    ];
    for (percentile, quantile) in PERCENTILES {
        let value =
            distribution.supported_ns(quantile).map_or_else(String::new, |ns| ns.to_string());
        cells.push((format!("{name}_{percentile}_ns"), value));
    }
    cells.push((format!("{name}_max_ns"), any(distribution.max_ns)));
    cells
}
