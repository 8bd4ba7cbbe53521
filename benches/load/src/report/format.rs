//! Texts that several formats share.

use std::time::Duration;

use chrono::DateTime;

use crate::merge::whole_runs;
use crate::summary::{Figures, generator_cpu};
use bench_show::units::counted;
use load_plan::metrics::{Distribution, Tally, Timing};
use load_plan::model::Run;
use load_plan::profile::Pace;
use load_plan::units;

/// In place of a number that is not there.
pub(super) const NONE: &str = "–";

/// In place of a time that falls among those that never ended.
pub(super) const LOST: &str = "lost";

/// The name of a stage; `stage 2` if the profile gives none.
pub(super) fn stage(run: &Run, index: usize) -> String {
    match run.profile.stages.get(index) {
        Some(stage) if !stage.name.is_empty() => stage.name.clone(),
        _ => format!("stage {}", index + 1),
    }
}

/// The meaning of a timing, without an article.
pub(super) fn timing(timing: Timing) -> &'static str {
    match timing {
        Timing::RttIntended => "time from when a message was due until its answer arrived",
        Timing::RttService => "time from when a message was sent until its answer arrived",
        Timing::Connect => "time from the first packet until the upgrade was answered",
        Timing::ScheduleLag => {
            "time by which the generator was late, with a message or a beat of its own"
        }
        Timing::Ping => "time from a ping to its pong",
        Timing::Gap => "time in which a subscription has no message",
        Timing::Staleness => "age of a subscription's messages",
    }
}

/// The headings of the percentiles that the profile chooses, or else `usual`.
pub(super) fn percentiles(run: &Run, usual: &[&str]) -> Vec<String> {
    match &run.profile.percentiles[..] {
        [] => usual.iter().map(|heading| (*heading).to_owned()).collect(),
        chosen => chosen.iter().map(|percent| format!("p{percent}")).collect(),
    }
}

/// The quantile of a heading: 0.999 of `p99.9`.
pub(super) fn quantile(heading: &str) -> Option<f64> {
    // A division by 100 would round some values; shifting the decimal point does not.
    format!("{}e-2", heading.strip_prefix('p')?).parse().ok()
}

/// Before a percentile that fewer than ten values lie beyond.
pub(super) const ROUGH: &str = "~";

/// In place of a percentile that is the largest of its samples, for there are too few.
const LARGEST: &str = "= max";

/// The cell of a distribution in the column `heading`. A dash without values; [`LOST`] among values that never ended.
pub(super) fn spread(of: &Distribution, heading: &str) -> String {
    let untold = if of.lost > 0 { LOST } else { NONE };
    let told = |ns: Option<u64>| ns.map_or_else(|| untold.to_owned(), |ns| units::time(ns as f64));
    match heading {
        "samples" => count(of.count),
        "min" => told(of.least_ns()),
        "max" => told(of.greatest_ns()),
        "mean" => of.mean_ns().map_or_else(|| untold.to_owned(), units::time),
        _ => match quantile(heading) {
            None => NONE.to_owned(),
            Some(quantile) => match of.quantile_ns(quantile) {
                Some(_) if of.is_largest(quantile) => LARGEST.to_owned(),
                Some(ns) if !of.supports(quantile) => format!("{ROUGH}{}", units::time(ns as f64)),
                ns => told(ns),
            },
        },
    }
}

/// The cell of a stage in the column `heading`, by default that of its latency.
pub(super) fn stage_cell(run: &Run, index: usize, figures: &Figures, heading: &str) -> String {
    match heading {
        "connections" => count(run.profile.stages[index].connections.into()),
        "pace" => pace(run.profile.pace(index)),
        "held" => length(Duration::from_nanos(figures.length_ns)),
        "received" => rate(figures.per_s(figures.held.received)),
        "errors" => count(figures.counts.errors()),
        _ => spread(&figures.latency, heading),
    }
}

/// Processors that the generator used in measured time.
fn generator(run: &Run) -> Option<String> {
    generator_cpu(run, |_| true).map(|used| {
        format!(
            "generator: {} of {} used, {}",
            units::significant(used),
            counted(u64::from(run.processors), "processor"),
            counted(u64::from(run.workers), "worker")
        )
    })
}

/// A number of things per second, if some time was measured.
pub(super) fn rate(per_s: Option<f64>) -> String {
    per_s.map_or_else(|| NONE.to_owned(), units::rate)
}

/// Rates of messages and bits in measured time.
pub(super) fn throughput(figures: &Figures) -> Vec<String> {
    let Figures { held, length_ns, .. } = figures;
    if *length_ns == 0 {
        return vec!["no time was measured".to_owned()];
    }
    let per_s = |count| rate(figures.per_s(count));
    let mbps = |bytes| units::significant(figures.mbps(bytes).unwrap_or_default());
    let due = if held.due > 0 { format!("{} due, ", per_s(held.due)) } else { String::new() };
    vec![
        format!(
            "messages: {due}{} sent, {} received, over {}",
            per_s(held.sent),
            per_s(held.received),
            length(Duration::from_nanos(*length_ns))
        ),
        format!(
            "payload: {} Mbps sent, {} received; with frame headers {} and {}",
            mbps(held.sent_bytes),
            mbps(held.received_bytes),
            mbps(held.sent_wire_bytes),
            mbps(held.received_wire_bytes)
        ),
    ]
}

/// Connections and messages that only the target counts, before the run.
fn before(run: &Run) -> Option<String> {
    let Tally { attempted, sent, .. } = run.before;
    (attempted > 0).then(|| {
        let wrong = match run.before.wrong_answers() {
            0 => String::new(),
            some => format!("; {}, which counts", counted(some, "wrong answer")),
        };
        let messages = match sent {
            0 => String::new(),
            some => format!(", and {} to warm the target up", counted(some, "message")),
        };
        let connections = counted(attempted, "connection");
        format!("not counted: {connections} before the run{messages}{wrong}")
    })
}

/// Back-pressure, pings, missed updates, provocations and the target's heap, if there were any, and the cost of the load.
pub(super) fn others(run: &Run, figures: &Figures) -> Vec<String> {
    let Figures { counts, held, .. } = figures;
    let mut lines = Vec::new();
    if held.backpressure_events > 0 {
        let times = counted(held.backpressure_events, "time");
        lines.push(format!("back-pressure: {times} a connection was full when a message was due"));
    }
    if counts.pings > 0 {
        lines.push(format!("{}, {} answered", counted(counts.pings, "ping"), count(counts.pongs)));
    }
    if counts.missed_updates > 0 {
        lines
            .push(format!("{} of a subscription missed", counted(counts.missed_updates, "update")));
    }
    if counts.provoked > 0 {
        let badly = count(counts.provoked_badly);
        lines
            .push(format!("{}, {badly} answered wrongly", counted(counts.provoked, "provocation")));
    }
    if let Some(heap) = &figures.allocations {
        let bytes = |bytes: i64| units::volume(bytes.unsigned_abs() as f64);
        let sign = if heap.remaining_bytes < 0 { "-" } else { "" };
        lines.push(format!(
            "target's heap: {} blocks ({sign}{}) more at the end than before the run; {} blocks ({}) allocated",
            units::count(heap.remaining_blocks as f64),
            bytes(heap.remaining_bytes),
            count(heap.total_blocks),
            units::volume(heap.total_bytes as f64)
        ));
    }
    lines.extend(generator(run));
    lines.extend(before(run));
    lines
}

pub(super) fn time(ns: Option<u64>) -> String {
    ns.map_or_else(|| NONE.to_owned(), |ns| units::time(ns as f64))
}

pub(super) fn count(count: u64) -> String {
    units::count(count as f64)
}

/// `closed_by_peer` → `closed by peer`.
pub(super) fn spoken(name: &str) -> String {
    name.replace('_', " ")
}

/// `8.5 s`, `1 min 40 s`, `2 h 5 min`.
pub(super) fn length(length: Duration) -> String {
    let seconds = length.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) if seconds < 10 => {
            format!("{} s", (length.as_secs_f64() * 10.0).round() / 10.0)
        }
        (0, 0, s) => format!("{s} s"),
        (0, min, 0) => format!("{min} min"),
        (0, min, s) => format!("{min} min {s} s"),
        (h, 0, _) => format!("{h} h"),
        (h, min, _) => format!("{h} h {min} min"),
    }
}

/// A time since the start of the run: `at 12 s`, `at 3:05`.
pub(super) fn moment(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    match seconds {
        ..60 => format!("at {seconds} s"),
        _ => format!("at {}:{:02}", seconds / 60, seconds % 60),
    }
}

/// `2026-11-22 05:14:03 UTC`.
pub(super) fn started(run: &Run) -> String {
    date(run)
        .map_or_else(|| NONE.to_owned(), |date| date.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// When the run began; `None` if that is too late for a calendar.
pub(super) fn date(run: &Run) -> Option<DateTime<chrono::Utc>> {
    let ns = i64::try_from(run.started_unix_ns).ok()?;
    Some(DateTime::from_timestamp_nanos(ns))
}

/// When a stage sends its messages.
fn pace(pace: Pace) -> String {
    match pace {
        Pace::Open { rate, .. } => format!("{} per connection", units::rate(rate)),
        Pace::Closed { depth } => format!("{depth} in flight per connection"),
        Pace::Idle => "idle".to_owned(),
    }
}

/// The parts that a run was added up from, if there were several.
pub(super) fn origin(run: &Run) -> Option<String> {
    let runs = whole_runs(run);
    if runs > 1 {
        return Some(format!(
            "{runs} whole runs, added second by second as if they had run at the same time: rates and connections are sums"
        ));
    }
    (run.shard.of > 1).then(|| {
        let shards: Vec<_> = run.shards.iter().map(u32::to_string).collect();
        format!("shards {} of {}, added second by second", shards.join(", "), run.shard.of)
    })
}
