//! The shape of `report.json`; `schema.json` describes each key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::report::format;
use crate::summary::{Figures, Summary};
use crate::validator::{self, Assessment, RunVerdict};
use load_plan::metrics::{Distribution, Tally, Timing};
use load_plan::model::{ErrorSample, Interval, Run, Shard, TargetAllocations};
use load_plan::outcome::{Ending, Fault};
use load_plan::profile::Profile;
use load_plan::thresholds::Metric;

/// The value of `tool`.
pub(super) const TOOL: &str = "ws-load";

#[derive(Serialize)]
pub(super) struct Report<'a> {
    schema: u32,
    tool: &'static str,
    version: &'static str,
    verdict: RunVerdict,
    reasons: &'a [String],
    notices: &'a [String],
    run: Origin,
    profile: &'a Profile,
    thresholds: Vec<Check<'a>>,
    overall: Totals,
    stages: Vec<Stage>,
    /// Raw, so that each is one line of a file that is otherwise indented.
    intervals: Vec<Box<RawValue>>,
    details: &'a [ErrorSample],
    allocations: &'a Option<TargetAllocations>,
    before: Counts,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Origin {
    pub(super) run_id: String,
    pub(super) shard: Shard,
    pub(super) shards: Vec<u32>,
    pub(super) url: String,
    pub(super) started_unix_ns: u64,
    pub(super) workers: u32,
    pub(super) processors: u32,
    pub(super) doubts: Vec<String>,
    pub(super) interrupted: bool,
}

#[derive(Serialize)]
struct Check<'a> {
    metric: String,
    stage: Option<String>,
    op: &'static str,
    limit: f64,
    unit: &'static str,
    #[serde(flatten)]
    outcome: &'a validator::Check,
}

#[derive(Serialize)]
struct Totals {
    length_ns: u64,
    counts: Counts,
    rates: Rates,
    errors: Errors,
    judged: Option<String>,
    latency: Option<Spread>,
    timings: BTreeMap<Timing, Spread>,
}

#[derive(Serialize)]
struct Stage {
    name: String,
    #[serde(flatten)]
    totals: Totals,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Counts {
    #[serde(flatten)]
    pub(super) tally: Tally,
    pub(super) endings: BTreeMap<Ending, u64>,
    pub(super) faults: BTreeMap<Fault, u64>,
}

#[derive(Serialize)]
struct Rates {
    messages_per_s: Option<f64>,
    sent_per_s: Option<f64>,
    due_per_s: Option<f64>,
    achieved: Option<f64>,
    sent_mbps: Option<f64>,
    received_mbps: Option<f64>,
    sent_wire_mbps: Option<f64>,
    received_wire_mbps: Option<f64>,
}

#[derive(Serialize)]
struct Errors {
    count: u64,
    share: Option<f64>,
}

#[derive(Serialize)]
struct Spread {
    count: u64,
    sum_ns: u64,
    min_ns: u64,
    mean_ns: f64,
    p50_ns: Option<u64>,
    p90_ns: Option<u64>,
    p95_ns: Option<u64>,
    p99_ns: Option<u64>,
    p999_ns: Option<u64>,
    p9999_ns: Option<u64>,
    max_ns: u64,
}

/// An interval: written as `Second<&Interval, Spread>`.
#[derive(Serialize, Deserialize)]
pub(super) struct Second<I, T> {
    #[serde(flatten)]
    pub(super) interval: I,
    pub(super) counts: Counts,
    pub(super) timings: BTreeMap<Timing, T>,
}

impl<'a> Report<'a> {
    pub(super) fn new(run: &'a Run, assessment: &'a Assessment) -> serde_json::Result<Self> {
        let summary = Summary::of(run);
        let stage = |(index, figures)| Stage {
            name: format::stage(run, index),
            totals: Totals::new(figures),
        };
        let interval = |interval| to_raw_value(&Second::new(interval));
        Ok(Self {
            schema: run.schema,
            tool: TOOL,
            version: env!("CARGO_PKG_VERSION"),
            verdict: assessment.verdict,
            reasons: &assessment.reasons,
            notices: &assessment.notices,
            run: Origin::new(run),
            profile: &run.profile,
            thresholds: assessment.checks.iter().map(|check| Check::new(run, check)).collect(),
            overall: Totals::new(&summary.overall),
            stages: summary.stages.iter().enumerate().map(stage).collect(),
            intervals: run.intervals.iter().map(interval).collect::<Result<_, _>>()?,
            details: &run.error_samples,
            allocations: &run.allocations,
            before: Counts::complete(&run.before),
        })
    }
}

impl Origin {
    fn new(run: &Run) -> Self {
        Self {
            run_id: run.run_id.clone(),
            shard: run.shard,
            shards: run.shards.clone(),
            url: run.url.clone(),
            started_unix_ns: u64::try_from(run.started_unix_ns).unwrap_or(u64::MAX),
            workers: run.workers,
            processors: run.processors,
            doubts: run.doubts.clone(),
            interrupted: run.interrupted,
        }
    }
}

impl<'a> Check<'a> {
    fn new(run: &Run, outcome: &'a validator::Check) -> Self {
        let threshold = &outcome.threshold;
        Self {
            metric: threshold.metric.name(),
            stage: outcome.stage.map(|index| format::stage(run, index)),
            op: threshold.op.symbol(),
            limit: threshold.limit,
            unit: threshold.metric.unit().name(),
            outcome,
        }
    }
}

impl Totals {
    fn new(figures: &Figures) -> Self {
        let held = &figures.held;
        Self {
            length_ns: figures.length_ns,
            counts: Counts::complete(&figures.counts),
            rates: Rates {
                messages_per_s: figures.per_s(held.received),
                sent_per_s: figures.per_s(held.sent),
                due_per_s: figures.per_s(held.due),
                achieved: figures.value(Metric::AchievedRate).map(|measured| measured.value),
                sent_mbps: figures.mbps(held.sent_bytes),
                received_mbps: figures.mbps(held.received_bytes),
                sent_wire_mbps: figures.mbps(held.sent_wire_bytes),
                received_wire_mbps: figures.mbps(held.received_wire_bytes),
            },
            errors: Errors { count: figures.counts.errors(), share: figures.counts.error_share() },
            judged: figures.judged_name(),
            latency: Spread::new(&figures.latency),
            timings: spreads(|timing| figures.timing(timing)),
        }
    }
}

impl Counts {
    pub(super) fn complete(tally: &Tally) -> Self {
        Self {
            tally: tally.clone(),
            endings: Ending::ALL.into_iter().zip(tally.endings).collect(),
            faults: Fault::ALL.into_iter().zip(tally.faults).collect(),
        }
    }

    /// Without endings and faults that did not happen.
    fn sparse(tally: &Tally) -> Self {
        let mut sparse = Self::complete(tally);
        sparse.endings.retain(|_, count| *count > 0);
        sparse.faults.retain(|_, count| *count > 0);
        sparse
    }
}

/// The spreads of the timings with samples.
fn spreads<'a>(of: impl Fn(Timing) -> &'a Distribution) -> BTreeMap<Timing, Spread> {
    let spread = |timing| Some((timing, Spread::new(of(timing))?));
    Timing::ALL.into_iter().filter_map(spread).collect()
}

impl Spread {
    fn new(distribution: &Distribution) -> Option<Self> {
        let percentile = |quantile| distribution.supported_ns(quantile);
        Some(Self {
            count: distribution.count,
            // 584 years: more than the waiting of all messages of any run.
            sum_ns: u64::try_from(distribution.sum_ns).unwrap_or(u64::MAX),
            min_ns: distribution.min_ns,
            mean_ns: distribution.mean_ns()?,
            p50_ns: percentile(0.5),
            p90_ns: percentile(0.9),
            p95_ns: percentile(0.95),
            p99_ns: percentile(0.99),
            p999_ns: percentile(0.999),
            p9999_ns: percentile(0.9999),
            max_ns: distribution.max_ns,
        })
    }
}

impl<'a> Second<&'a Interval, Spread> {
    fn new(interval: &'a Interval) -> Self {
        Self {
            interval,
            counts: Counts::sparse(&interval.sample.counts),
            timings: spreads(|timing| interval.sample.timing(timing)),
        }
    }
}
