//! A run as JSON lines: an object for the start, for each second, and for the verdict.

use serde::Serialize;

use crate::summary::{Figures, Summary};
use crate::validator::Assessment;
use load_engine::progress::Progress;
use load_plan::metrics::{Distribution, Timing};
use load_plan::model::{Phase, Run};

/// JSON Schema of a line, as text.
pub const JSON_SCHEMA: &str = include_str!("lines/schema.json");

#[derive(Serialize)]
struct Start<'a> {
    kind: &'static str,
    run_id: &'a str,
    unix_ms: u64,
    profile: &'a str,
}

#[derive(Serialize)]
struct Second<'a> {
    kind: &'static str,
    run_id: &'a str,
    unix_ms: u64,
    second: u64,
    stage: &'a str,
    phase: Phase,
    open: u64,
    target: u64,
    due: u64,
    sent: u64,
    received: u64,
    sent_bytes: u64,
    received_bytes: u64,
    errors: u64,
    errors_so_far: u64,
    #[serde(flatten)]
    times: Times,
    schedule_lag_p99_ns: Option<u64>,
    generator_cpu: f64,
}

#[derive(Serialize)]
struct Verdict<'a> {
    kind: &'static str,
    run_id: &'a str,
    unix_ms: u64,
    #[serde(flatten)]
    said: Said<'a>,
    sent: u64,
    received: u64,
    errors: u64,
    messages_per_s: Option<f64>,
    #[serde(flatten)]
    times: Times,
}

/// The verdict in words.
#[derive(Serialize)]
struct Said<'a> {
    verdict: &'static str,
    reasons: &'a [String],
    notices: &'a [String],
}

/// The judged latency.
#[derive(Serialize)]
struct Times {
    judged: Option<&'static str>,
    samples: u64,
    mean_ns: Option<f64>,
    p50_ns: Option<u64>,
    p90_ns: Option<u64>,
    p95_ns: Option<u64>,
    p99_ns: Option<u64>,
    p999_ns: Option<u64>,
    max_ns: Option<u64>,
}

impl Times {
    fn of(judged: Option<Timing>, times: &Distribution) -> Self {
        Self {
            judged: judged.map(Timing::name),
            samples: times.count,
            mean_ns: times.mean_ns(),
            p50_ns: times.quantile_ns(0.5),
            p90_ns: times.quantile_ns(0.9),
            p95_ns: times.quantile_ns(0.95),
            p99_ns: times.quantile_ns(0.99),
            p999_ns: times.quantile_ns(0.999),
            max_ns: times.greatest_ns(),
        }
    }
}

/// The first line of the run `run_id` of the profile so named, written at `unix_ms`: what comes before is of other runs.
///
/// # Errors
///
/// None that is known: every value has a form in JSON.
pub fn start(run_id: &str, unix_ms: u64, profile: &str) -> serde_json::Result<String> {
    line(&Start { kind: "start", run_id, unix_ms, profile })
}

/// The line of a second of the run `run_id`, written at `unix_ms`; `so_far` includes it.
///
/// # Errors
///
/// None that is known, as of [`start`].
pub fn second(
    run_id: &str,
    unix_ms: u64,
    now: &Progress<'_>,
    so_far: &Summary,
) -> serde_json::Result<String> {
    let judged = now.profile.judged(now.stage);
    let nothing = Distribution::default();
    let counts = &now.last.counts;
    line(&Second {
        kind: "second",
        run_id,
        unix_ms,
        second: now.second,
        stage: &now.profile.stages[now.stage].name,
        phase: now.phase,
        open: now.open,
        target: now.target,
        due: counts.due,
        sent: counts.sent,
        received: counts.received,
        sent_bytes: counts.sent_bytes,
        received_bytes: counts.received_bytes,
        errors: counts.errors(),
        errors_so_far: so_far.overall.counts.errors(),
        times: Times::of(judged, judged.map_or(&nothing, |judged| now.last.timing(judged))),
        schedule_lag_p99_ns: now.last.timing(Timing::ScheduleLag).quantile_ns(0.99),
        generator_cpu: now.generator_cpu,
    })
}

/// The last line, written at `unix_ms`: the verdict on `run`, and its totals.
///
/// # Errors
///
/// None that is known, as of [`start`].
pub fn verdict(unix_ms: u64, run: &Run, assessment: &Assessment) -> serde_json::Result<String> {
    let Assessment { reasons, notices, .. } = assessment;
    let said = Said { verdict: assessment.verdict.name(), reasons, notices };
    end(&run.run_id, unix_ms, said, &Summary::of(run).overall)
}

/// In place of [`verdict`], for a run that failed for `reason` before it had one.
///
/// # Errors
///
/// None that is known, as of [`start`].
pub fn failed(
    run_id: &str,
    unix_ms: u64,
    reason: &str,
    so_far: &Summary,
) -> serde_json::Result<String> {
    let said = Said { verdict: "failed", reasons: &[reason.to_owned()], notices: &[] };
    end(run_id, unix_ms, said, &so_far.overall)
}

fn end(
    run_id: &str,
    unix_ms: u64,
    said: Said<'_>,
    overall: &Figures,
) -> serde_json::Result<String> {
    line(&Verdict {
        kind: "verdict",
        run_id,
        unix_ms,
        said,
        sent: overall.counts.sent,
        received: overall.counts.received,
        errors: overall.counts.errors(),
        messages_per_s: overall.per_s(overall.held.received),
        times: Times::of(overall.judged.first().copied(), &overall.latency),
    })
}

fn line(of: &impl Serialize) -> serde_json::Result<String> {
    Ok(serde_json::to_string(of)? + "\n")
}
