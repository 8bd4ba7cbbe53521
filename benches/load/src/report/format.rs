//! What every format says in the same words.

use std::time::Duration;

use chrono::DateTime;

use crate::merge::whole_runs;
use crate::summary::Figures;
use crate::validator::Check;
use load_plan::metrics::{Distribution, Tally, Timing};
use load_plan::model::{Phase, Run};
use load_plan::profile::Pace;
use load_plan::units;

/// Where there is no number.
pub(super) const NONE: &str = "–";

pub(super) const PHASES: [Phase; 4] = [Phase::Ramp, Phase::WarmUp, Phase::Hold, Phase::Drain];

/// As in JSON.
pub(super) fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Ramp => "ramp",
        Phase::WarmUp => "warm_up",
        Phase::Hold => "hold",
        Phase::Drain => "drain",
    }
}

/// `stage 2` where a profile gives no name.
pub(super) fn stage(run: &Run, index: usize) -> String {
    match run.profile.stages.get(index) {
        Some(stage) if !stage.name.is_empty() => stage.name.clone(),
        _ => format!("stage {}", index + 1),
    }
}

/// What a timing is, after an article.
pub(super) fn timing(timing: Timing) -> &'static str {
    match timing {
        Timing::RttIntended => "time from when a message was due until its answer was here",
        Timing::RttService => "time from when a message was sent until its answer was here",
        Timing::Connect => "time from the first packet until the upgrade was answered",
        Timing::ScheduleLag => "time by which the generator itself was late",
        Timing::Ping => "time from a ping to its pong",
        Timing::Gap => "time between two messages of a subscription",
        Timing::Staleness => "age of a subscription's messages",
    }
}

/// A dash where fewer than ten values lie beyond.
pub(super) fn percentile(distribution: &Distribution, quantile: f64) -> String {
    time(distribution.quantile_ns(quantile).filter(|_| distribution.supports(quantile)))
}

/// `+68 %`, `-23 %`: what is left of a limit, as a share of it.
pub(super) fn margin(margin: Option<f64>) -> String {
    let shown = |share: f64| {
        let percent = (share * 100.0).round();
        format!("{}{} %", if percent > 0.0 { "+" } else { "" }, units::count(percent))
    };
    margin.map_or_else(|| NONE.to_owned(), shown)
}

/// The worst seconds of a threshold that was violated; those that violate it by themselves, if there is any.
pub(super) fn worst(check: &Check) -> Option<String> {
    if check.met || check.worst.is_empty() {
        return None;
    }
    let alone = |(_, value): &&(u64, f64)| !check.threshold.is_met(*value);
    let mut worst: Vec<_> = check.worst.iter().filter(alone).collect();
    if worst.is_empty() {
        worst = check.worst.iter().collect();
    }
    let unit = check.threshold.metric.unit();
    let shown =
        worst.into_iter().map(|(second, value)| format!("{second} ({})", unit.show(*value)));
    Some(shown.collect::<Vec<_>>().join(", "))
}

/// Processors that the generator used in measured time.
pub(super) fn generator(run: &Run) -> Option<String> {
    let holds = || run.intervals.iter().filter(|interval| interval.phase == Phase::Hold);
    let length: u64 = holds().map(|interval| interval.length_ns).sum();
    let used: f64 =
        holds().map(|interval| interval.generator_cpu * interval.length_ns as f64).sum();
    (length > 0).then(|| {
        format!(
            "generator: {} of {} used, {}",
            units::significant(used / length as f64),
            counted(u64::from(run.processors), "processor"),
            counted(u64::from(run.workers), "worker")
        )
    })
}

/// So many in so much time, a second.
pub(super) fn rate(count: u64, length_ns: u64) -> String {
    if length_ns == 0 {
        return NONE.to_owned();
    }
    units::rate(count as f64 / (length_ns as f64 / 1e9))
}

/// Messages and bits of measured time.
pub(super) fn throughput(figures: &Figures) -> Vec<String> {
    let Figures { held, length_ns, .. } = figures;
    if *length_ns == 0 {
        return vec!["no time was measured".to_owned()];
    }
    let per_s = |count| rate(count, *length_ns);
    let mbps =
        |bytes: u64| units::significant(bytes as f64 * 8.0 / 1e6 / (*length_ns as f64 / 1e9));
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

/// What the target counts and the run does not.
pub(super) fn before(run: &Run) -> Option<String> {
    let Tally { attempted, sent, .. } = run.before;
    (attempted > 0).then(|| {
        format!(
            "before the run: {} and {}, to find the target there and warm",
            counted(attempted, "connection"),
            counted(sent, "message")
        )
    })
}

/// Pings, a subscription's gaps, provocations and the target's heap, as far as there were any.
pub(super) fn others(figures: &Figures) -> Vec<String> {
    let counts = &figures.counts;
    let mut lines = Vec::new();
    if counts.pings > 0 {
        lines.push(format!("{}, {} answered", counted(counts.pings, "ping"), count(counts.pongs)));
    }
    if counts.missed_updates > 0 {
        lines
            .push(format!("{} of a subscription missed", counted(counts.missed_updates, "update")));
    }
    if counts.provoked > 0 {
        let badly = count(counts.provoked_badly);
        lines.push(format!(
            "{}, {badly} not answered as due",
            counted(counts.provoked, "provocation")
        ));
    }
    if let Some(heap) = &figures.allocations {
        let bytes = |bytes: i64| units::volume(bytes.unsigned_abs() as f64);
        let sign = if heap.remaining_bytes < 0 { "-" } else { "" };
        lines.push(format!(
            "target's heap: {} blocks ({sign}{}) more than before after all had left; {} blocks ({}) handed out",
            units::count(heap.remaining_blocks as f64),
            bytes(heap.remaining_bytes),
            count(heap.total_blocks),
            units::volume(heap.total_bytes as f64)
        ));
    }
    lines
}

pub(super) fn time(ns: Option<u64>) -> String {
    ns.map_or_else(|| NONE.to_owned(), |ns| units::time(ns as f64))
}

pub(super) fn count(count: u64) -> String {
    units::count(count as f64)
}

/// `1 connection`, `12,345 connections`.
pub(super) fn counted(count: u64, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {one}{plural}", self::count(count))
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

/// Where in a run something happened: `at 12 s`, `at 3:05`.
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

/// When the run began; `None` if that is beyond what a calendar has.
pub(super) fn date(run: &Run) -> Option<DateTime<chrono::Utc>> {
    let ns = i64::try_from(run.started_unix_ns).ok()?;
    Some(DateTime::from_timestamp_nanos(ns))
}

/// How a stage's messages come about.
pub(super) fn pace(pace: Pace) -> String {
    match pace {
        Pace::Open { rate, .. } => format!("{} on each", units::rate(rate)),
        Pace::Closed { depth: 1 } => "1 on its way on each".to_owned(),
        Pace::Closed { depth } => format!("{depth} on their way on each"),
        Pace::Idle => "idle".to_owned(),
    }
}

/// What is worth knowing about how a run came about, beside its verdict.
pub(super) fn origin(run: &Run) -> Option<String> {
    let runs = whole_runs(run);
    if runs > 1 {
        return Some(format!(
            "{runs} whole runs added second by second, as if they had run side by side: rates and connections are their sum"
        ));
    }
    (run.shard.of > 1).then(|| {
        let shards: Vec<_> = run.shards.iter().map(u32::to_string).collect();
        format!("shards {} of {}, added second by second", shards.join(", "), run.shard.of)
    })
}
