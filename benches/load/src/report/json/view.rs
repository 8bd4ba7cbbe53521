//! The shape of `report.json`; `schema.json` describes each key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::report::format;
use crate::summary::{Figures, Summary};
use crate::validator::{self, Assessment, RunVerdict};
use load_plan::metrics::{Distribution, Tally, Timing};
use load_plan::model::{ErrorSample, Interval, Run, TargetAllocations};
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
    run: &'a Run,
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
    rates: Object,
    errors: Object,
    judged: Option<String>,
    latency: Option<Object>,
    timings: BTreeMap<Timing, Object>,
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

/// Keys and values in the order of a reader's questions.
pub(super) struct Object(Vec<(&'static str, Value)>);

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// An interval: written as `Second<&Interval, Object>`.
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
            run,
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
            rates: Object(vec![
                ("messages_per_s", json!(figures.per_s(held.received))),
                ("sent_per_s", json!(figures.per_s(held.sent))),
                ("due_per_s", json!(figures.per_s(held.due))),
                ("achieved", json!(figures.value(Metric::AchievedRate))),
                ("sent_mbps", json!(figures.mbps(held.sent_bytes))),
                ("received_mbps", json!(figures.mbps(held.received_bytes))),
                ("sent_wire_mbps", json!(figures.mbps(held.sent_wire_bytes))),
                ("received_wire_mbps", json!(figures.mbps(held.received_wire_bytes))),
            ]),
            errors: Object(vec![
                ("count", json!(figures.counts.errors())),
                ("share", json!(figures.counts.error_share())),
            ]),
            judged: figures.judged_name(),
            latency: spread(&figures.latency),
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
fn spreads<'a>(of: impl Fn(Timing) -> &'a Distribution) -> BTreeMap<Timing, Object> {
    let some = |timing| Some((timing, spread(of(timing))?));
    Timing::ALL.into_iter().filter_map(some).collect()
}

fn spread(distribution: &Distribution) -> Option<Object> {
    let percentile = |quantile| json!(distribution.supported_ns(quantile));
    Some(Object(vec![
        ("count", json!(distribution.count)),
        // 584 years: more than the waiting of all messages of any run.
        ("sum_ns", json!(u64::try_from(distribution.sum_ns).unwrap_or(u64::MAX))),
        ("min_ns", json!(distribution.min_ns)),
        ("mean_ns", json!(distribution.mean_ns()?)),
        ("p50_ns", percentile(0.5)),
        ("p90_ns", percentile(0.9)),
        ("p95_ns", percentile(0.95)),
        ("p99_ns", percentile(0.99)),
        ("p999_ns", percentile(0.999)),
        ("p9999_ns", percentile(0.9999)),
        ("max_ns", json!(distribution.max_ns)),
    ]))
}

impl<'a> Second<&'a Interval, Object> {
    fn new(interval: &'a Interval) -> Self {
        Self {
            interval,
            counts: Counts::sparse(&interval.sample.counts),
            timings: spreads(|timing| interval.sample.timing(timing)),
        }
    }
}
