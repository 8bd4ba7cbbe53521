//! A run and its assessment → [`Report`].

use std::collections::BTreeMap;

use super::TOOL;
use super::view::{
    Allocations, Check, Counts, Detail, Errors, Interval, Moment, Origin, Rates, Report, Shard,
    Spread, Stage, Stretch,
};
use crate::report::format;
use crate::summary::{Figures, Summary};
use crate::validator::{self, Assessment};
use load_plan::metrics::{self, Distribution, Timing};
use load_plan::model::{self, Run, TargetAllocations};
use load_plan::outcome::{Ending, Fault};
use load_plan::thresholds::Metric;

impl Report {
    pub(super) fn new(run: &Run, assessment: &Assessment) -> Self {
        let summary = Summary::of(run);
        let stages = summary.stages.iter().enumerate();
        Self {
            schema: run.schema,
            tool: TOOL.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            verdict: assessment.verdict,
            reasons: assessment.reasons.clone(),
            notices: assessment.notices.clone(),
            run: Origin::new(run),
            profile: run.profile.clone(),
            thresholds: assessment.checks.iter().map(|check| Check::new(run, check)).collect(),
            overall: Stretch::new(&summary.overall),
            stages: stages
                .map(|(index, figures)| Stage {
                    name: format::stage(run, index),
                    stretch: Stretch::new(figures),
                })
                .collect(),
            intervals: run.intervals.iter().map(Interval::new).collect(),
            details: run.error_samples.iter().map(Detail::new).collect(),
            allocations: run.allocations.as_ref().map(Allocations::new),
            before: Counts::complete(&run.before),
        }
    }
}

impl Origin {
    fn new(run: &Run) -> Self {
        Self {
            run_id: run.run_id.clone(),
            shard: Shard { index: run.shard.index, of: run.shard.of },
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

impl Check {
    fn new(run: &Run, check: &validator::Check) -> Self {
        let metric = check.threshold.metric;
        Self {
            metric: metric.name(),
            stage: check.stage.map(|index| format::stage(run, index)),
            op: check.threshold.op.symbol().to_owned(),
            limit: check.threshold.limit,
            unit: metric.unit().name().to_owned(),
            measured: check.measured,
            samples: check.samples,
            margin: check.margin,
            met: check.met,
            first_violated_ns: check.first_violated_ns,
            worst: check
                .worst
                .iter()
                .map(|(second, value)| Moment { second: *second, value: *value })
                .collect(),
        }
    }
}

impl Stretch {
    pub(super) fn new(figures: &Figures) -> Self {
        let timings = Timing::ALL.map(|timing| figures.timing(timing));
        Self {
            length_ns: figures.length_ns,
            counts: Counts::complete(&figures.counts),
            rates: Rates::new(figures),
            errors: Errors { count: figures.counts.errors(), share: figures.counts.error_share() },
            judged: figures.judged_name(),
            latency: Spread::new(&figures.latency),
            timings: spreads(timings.into_iter()),
        }
    }

    /// What does not depend on buckets: counts, and how many values each timing has.
    pub(super) fn counted(&self) -> (Counts, BTreeMap<Timing, u64>) {
        let timings = self.timings.iter().map(|(timing, spread)| (*timing, spread.count));
        (self.counts.clone(), timings.collect())
    }
}

impl Rates {
    fn new(figures: &Figures) -> Self {
        let held = &figures.held;
        let seconds = figures.length_ns as f64 / 1e9;
        let per_s = |count: f64| (seconds > 0.0).then(|| count / seconds);
        let mbps = |bytes: u64| per_s(bytes as f64 * 8.0 / 1e6);
        Self {
            messages_per_s: per_s(held.received as f64),
            sent_per_s: per_s(held.sent as f64),
            due_per_s: per_s(held.due as f64),
            achieved: figures.value(Metric::AchievedRate).map(|measured| measured.value),
            sent_mbps: mbps(held.sent_bytes),
            received_mbps: mbps(held.received_bytes),
            sent_wire_mbps: mbps(held.sent_wire_bytes),
            received_wire_mbps: mbps(held.received_wire_bytes),
        }
    }
}

impl Counts {
    fn complete(counts: &metrics::Tally) -> Self {
        let metrics::Tally {
            attempted,
            opened,
            endings,
            sent,
            due,
            received,
            sent_bytes,
            received_bytes,
            sent_wire_bytes,
            received_wire_bytes,
            backpressure_events,
            pings,
            pongs,
            missed_updates,
            faults,
            provoked,
            provoked_badly,
        } = *counts;
        Self {
            attempted,
            opened,
            endings: Ending::ALL.into_iter().zip(endings).collect(),
            sent,
            due,
            received,
            sent_bytes,
            received_bytes,
            sent_wire_bytes,
            received_wire_bytes,
            backpressure_events,
            pings,
            pongs,
            missed_updates,
            faults: Fault::ALL.into_iter().zip(faults).collect(),
            provoked,
            provoked_badly,
        }
    }

    /// Without endings and faults that did not happen.
    fn sparse(counts: &metrics::Tally) -> Self {
        let mut sparse = Self::complete(counts);
        sparse.endings.retain(|_, count| *count > 0);
        sparse.faults.retain(|_, count| *count > 0);
        sparse
    }
}

/// Of distributions in the order of [`Timing::ALL`], those with samples.
fn spreads<'a>(distributions: impl Iterator<Item = &'a Distribution>) -> BTreeMap<Timing, Spread> {
    let named = Timing::ALL.into_iter().zip(distributions);
    named.filter_map(|(timing, distribution)| Some((timing, Spread::new(distribution)?))).collect()
}

impl Spread {
    fn new(distribution: &Distribution) -> Option<Self> {
        let percentile = |quantile: f64| {
            distribution.quantile_ns(quantile).filter(|_| distribution.supports(quantile))
        };
        Some(Self {
            count: distribution.count,
            // 584 years of waiting; no run has as much.
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

impl Interval {
    fn new(interval: &model::Interval) -> Self {
        Self {
            second: interval.second,
            stage: interval.stage,
            phase: interval.phase,
            length_ns: interval.length_ns,
            open: interval.open,
            target: interval.target,
            generator_cpu: interval.generator_cpu,
            counts: Counts::sparse(&interval.sample.counts),
            timings: spreads(interval.sample.timings.iter()),
        }
    }
}

impl Detail {
    fn new(detail: &model::ErrorSample) -> Self {
        let model::ErrorSample { kind, text, count, first_ns } = detail.clone();
        Self { kind, text, count, first_ns }
    }
}

impl Allocations {
    fn new(allocations: &TargetAllocations) -> Self {
        let TargetAllocations { total_blocks, total_bytes, remaining_blocks, remaining_bytes } =
            *allocations;
        Self { total_blocks, total_bytes, remaining_blocks, remaining_bytes }
    }
}
