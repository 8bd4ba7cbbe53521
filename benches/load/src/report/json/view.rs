//! The shape of `report.json`; `schema.json` describes each key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::report::format;
use crate::summary::{Figures, Summary};
use crate::validator::{Assessment, Check, RunVerdict};
use load_plan::metrics::{Distribution, Sample, Tally, Timing};
use load_plan::model::{ErrorSample, Interval, Run, SCHEMA, TargetAllocations};
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
    thresholds: Vec<Object>,
    overall: Totals,
    stages: Vec<Totals>,
    /// Raw, so that each is one line of a file that is otherwise indented.
    intervals: Vec<Box<RawValue>>,
    details: &'a [ErrorSample],
    allocations: &'a Option<TargetAllocations>,
    before: Counts,
}

#[derive(Serialize)]
struct Totals {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    length_ns: u64,
    counts: Counts,
    rates: Object,
    errors: Object,
    judged: Option<String>,
    latency: Option<Object>,
    timings: BTreeMap<Timing, Object>,
}

#[derive(Serialize, Deserialize)]
struct Counts {
    #[serde(flatten)]
    tally: Tally,
    endings: BTreeMap<Ending, u64>,
    faults: BTreeMap<Fault, u64>,
}

/// Keys and values in the order of a reader's questions.
struct Object(Vec<(&'static str, Value)>);

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// An interval: written as `Second<&Interval, Object>`.
#[derive(Serialize, Deserialize)]
struct Second<I, T> {
    #[serde(flatten)]
    interval: I,
    counts: Counts,
    timings: BTreeMap<Timing, T>,
}

impl<'a> Report<'a> {
    pub(super) fn new(run: &'a Run, assessment: &'a Assessment) -> serde_json::Result<Self> {
        let summary = Summary::of(run);
        let chosen = &run.profile.percentiles;
        let stage =
            |(index, figures)| Totals::new(Some(format::stage(run, index)), figures, chosen);
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
            thresholds: assessment.checks.iter().map(|check| threshold(run, check)).collect(),
            overall: Totals::new(None, &summary.overall, chosen),
            stages: summary.stages.iter().enumerate().map(stage).collect(),
            intervals: run.intervals.iter().map(interval).collect::<Result<_, _>>()?,
            details: &run.error_samples,
            allocations: &run.allocations,
            before: Counts::complete(&run.before),
        })
    }
}

fn threshold(run: &Run, check: &Check) -> Object {
    let Check { threshold, stage, .. } = check;
    Object(vec![
        ("metric", json!(threshold.metric.name())),
        ("stage", json!(stage.map(|index| format::stage(run, index)))),
        ("op", json!(threshold.op.symbol())),
        ("limit", json!(threshold.limit)),
        ("unit", json!(threshold.metric.unit().name())),
        ("measured", json!(check.measured)),
        ("samples", json!(check.samples)),
        ("margin", json!(check.margin)),
        ("met", json!(check.met)),
        ("first_violated_ns", json!(check.first_violated_ns)),
        ("worst", json!(check.worst)),
    ])
}

impl Totals {
    fn new(name: Option<String>, figures: &Figures, chosen: &[f64]) -> Self {
        let held = &figures.held;
        Self {
            name,
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
            latency: spread(&figures.latency, chosen),
            timings: spreads(chosen, |timing| figures.timing(timing)),
        }
    }
}

impl Counts {
    fn complete(tally: &Tally) -> Self {
        Self {
            tally: tally.clone(),
            endings: Ending::ALL.into_iter().zip(tally.endings).collect(),
            faults: Fault::ALL.into_iter().zip(tally.faults).collect(),
        }
    }

    fn into_tally(self) -> Tally {
        let ended = |ending| self.endings.get(&ending).copied().unwrap_or_default();
        let faulty = |fault| self.faults.get(&fault).copied().unwrap_or_default();
        Tally { endings: Ending::ALL.map(ended), faults: Fault::ALL.map(faulty), ..self.tally }
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
fn spreads<'a>(
    chosen: &[f64],
    of: impl Fn(Timing) -> &'a Distribution,
) -> BTreeMap<Timing, Object> {
    let some = |timing| Some((timing, spread(of(timing), chosen)?));
    Timing::ALL.into_iter().filter_map(some).collect()
}

/// A distribution, with the percentiles that the profile chose in a key of their own.
fn spread(distribution: &Distribution, chosen: &[f64]) -> Option<Object> {
    let percentile = |quantile| json!(distribution.supported_ns(quantile));
    if distribution.count == 0 {
        return None;
    }
    let lost = (distribution.lost > 0).then(|| ("lost", json!(distribution.lost)));
    let entries = [("count", json!(distribution.count))].into_iter().chain(lost).chain([
        // 584 years: more than the waiting of all messages of any run.
        ("sum_ns", json!(u64::try_from(distribution.sum_ns).unwrap_or(u64::MAX))),
        ("min_ns", json!(distribution.min_ns)),
        ("mean_ns", json!(distribution.mean_ns())),
        ("p50_ns", percentile(0.5)),
        ("p90_ns", percentile(0.9)),
        ("p95_ns", percentile(0.95)),
        ("p99_ns", percentile(0.99)),
        ("p999_ns", percentile(0.999)),
        ("p9999_ns", percentile(0.9999)),
        ("max_ns", json!(distribution.max_ns)),
    ]);
    let chosen = chosen.iter().filter_map(|percent| {
        let heading = format!("p{percent}");
        let ns = distribution.supported_ns(format::quantile(&heading)?);
        Some((heading, json!(ns)))
    });
    let chosen: serde_json::Map<_, _> = chosen.collect();
    let entries = entries.chain((!chosen.is_empty()).then(|| ("percentiles_ns", json!(chosen))));
    Some(Object(entries.collect()))
}

impl<'a> Second<&'a Interval, Object> {
    fn new(interval: &'a Interval) -> Self {
        Self {
            interval,
            counts: Counts::sparse(&interval.sample.counts),
            timings: spreads(&[], |timing| interval.sample.timing(timing)),
        }
    }
}

/// The parts that are read; the rest is computed again.
#[derive(Deserialize)]
pub(super) struct Saved {
    run: Run,
    profile: Profile,
    overall: SavedTotals,
    intervals: Vec<Second<Interval, Distribution>>,
    details: Vec<ErrorSample>,
    allocations: Option<TargetAllocations>,
    before: Counts,
}

/// A copy of the counts of all intervals, by which a damaged file is recognised.
#[derive(Deserialize)]
pub(super) struct SavedTotals {
    counts: Counts,
    timings: BTreeMap<Timing, Distribution>,
}

impl Saved {
    /// The run without buckets, and what the report says of all of it.
    pub(super) fn into_run(self) -> (Run, SavedTotals) {
        let run = Run {
            schema: SCHEMA,
            profile: self.profile,
            before: self.before.into_tally(),
            intervals: self.intervals.into_iter().map(Second::into_interval).collect(),
            error_samples: self.details,
            allocations: self.allocations,
            ..self.run
        };
        (run, self.overall)
    }
}

impl SavedTotals {
    /// Whether counts, and numbers of samples, are those of `figures`.
    pub(super) fn matches(self, figures: &Figures) -> bool {
        let samples = |timing| self.timings.get(&timing).map_or(0, |of| of.count);
        self.counts.into_tally() == figures.counts
            && Timing::ALL.into_iter().all(|of| samples(of) == figures.timing(of).count)
    }
}

impl Second<Interval, Distribution> {
    fn into_interval(mut self) -> Interval {
        let timings = Timing::ALL.map(|timing| self.timings.remove(&timing).unwrap_or_default());
        let sample = Sample { counts: self.counts.into_tally(), timings };
        Interval { sample, ..self.interval }
    }
}
