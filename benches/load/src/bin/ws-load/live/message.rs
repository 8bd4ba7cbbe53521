use std::collections::BTreeMap;

use load::summary::{Summary, error_kinds};
use load::validator::thresholds;
use load_plan::metrics::Distribution;
use load_plan::model::Phase;
use load_plan::profile::Profile;
use load_plan::thresholds::Threshold;
use serde::Serialize;

/// A message for the page's load view. Rates and times are of the last whole interval or, with the verdict, of the whole
/// run. Counts are since the start. The page shows `None` as a missing number, not as 0.
#[derive(Default, Serialize)]
pub(super) struct Load<'a> {
    pub(super) view: &'static str,
    pub(super) run_id: &'a str,
    pub(super) profile: &'a str,
    pub(super) url: &'a str,
    /// `running`, then the verdict.
    pub(super) state: &'a str,
    pub(super) reasons: &'a [String],
    pub(super) elapsed_ns: u64,
    pub(super) planned_ns: u64,
    pub(super) stage: Option<Stage<'a>>,
    pub(super) marks: &'a [Mark],
    pub(super) judged: &'a str,
    pub(super) latency: Option<Latency>,
    pub(super) thresholds: Vec<Limit<'a>>,
    pub(super) offered_per_s: Option<f64>,
    pub(super) achieved_per_s: f64,
    pub(super) sent_mbps: f64,
    pub(super) received_mbps: f64,
    pub(super) open: u64,
    pub(super) target: u64,
    pub(super) sent: u64,
    pub(super) opened: u64,
    pub(super) errors: Errors<'a>,
    pub(super) backpressure_events: u64,
    pub(super) lag_p99_ns: Option<u64>,
    pub(super) generator_cpu: f64,
}

#[derive(Serialize)]
pub(super) struct Stage<'a> {
    pub(super) index: usize,
    pub(super) name: &'a str,
    pub(super) phase: Phase,
}

/// The start of a phase.
#[derive(Serialize)]
pub(super) struct Mark {
    /// Since the start of the run.
    pub(super) at_ns: u64,
    #[serde(skip)]
    pub(super) stage: usize,
    pub(super) name: String,
    pub(super) phase: Phase,
}

/// Times in nanoseconds; `None` for one that falls among messages without an answer.
#[derive(Serialize)]
pub(super) struct Latency {
    pub(super) p50_ns: Option<u64>,
    pub(super) p95_ns: Option<u64>,
    pub(super) p99_ns: Option<u64>,
    pub(super) max_ns: Option<u64>,
}

/// A threshold, and how the run so far compares with it.
#[derive(Serialize)]
pub(super) struct Limit<'a> {
    metric: String,
    /// `None` is the whole run.
    stage: Option<&'a str>,
    op: &'a str,
    limit: f64,
    unit: &'a str,
    value: Option<f64>,
    margin: Option<f64>,
    met: Option<bool>,
}

#[derive(Default, Serialize)]
pub(super) struct Errors<'a> {
    pub(super) total: u64,
    by_kind: BTreeMap<&'a str, u64>,
}

impl<'a> Load<'a> {
    /// A message with all that is the same during the run and at its end.
    pub(super) fn new(
        run_id: &'a str,
        url: &'a str,
        marks: &'a [Mark],
        profile: &'a Profile,
        so_far: &Summary,
    ) -> Self {
        let counts = &so_far.overall.counts;
        let limits = thresholds(profile);
        let by_kind = error_kinds(counts).filter(|(_, count)| *count > 0).collect();
        Self {
            view: "load",
            run_id,
            profile: &profile.name,
            url,
            state: "running",
            planned_ns: profile.duration().as_nanos() as u64,
            marks,
            judged: "none",
            thresholds: limits
                .map(|(stage, limit)| Limit::new(profile, stage, limit, so_far))
                .collect(),
            sent: counts.sent,
            opened: counts.opened,
            errors: Errors { total: counts.errors(), by_kind },
            backpressure_events: counts.backpressure_events,
            ..Self::default()
        }
    }
}

impl Latency {
    /// `None` if nothing was timed.
    pub(super) fn of(times: &Distribution) -> Option<Self> {
        (times.count > 0).then(|| Self {
            p50_ns: times.quantile_ns(0.5),
            p95_ns: times.quantile_ns(0.95),
            p99_ns: times.quantile_ns(0.99),
            max_ns: times.greatest_ns(),
        })
    }
}

impl<'a> Limit<'a> {
    fn new(
        profile: &'a Profile,
        stage: Option<usize>,
        threshold: &Threshold,
        so_far: &Summary,
    ) -> Self {
        let Threshold { metric, op, limit, .. } = *threshold;
        let (value, lost) =
            (so_far.figures(stage).value(metric), so_far.figures(stage).lost(metric));
        Self {
            metric: metric.name(),
            stage: stage.map(|index| profile.stages[index].name.as_str()),
            op: op.symbol(),
            limit,
            unit: metric.unit().name(),
            value,
            margin: value.and_then(|value| threshold.margin(value)),
            // A time among messages without an answer meets no limit.
            met: value.map(|value| threshold.is_met(value)).or_else(|| lost.map(|_| false)),
        }
    }
}
