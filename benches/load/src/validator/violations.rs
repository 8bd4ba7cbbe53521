use serde::Serialize;

use crate::summary::Figures;
use load_plan::model::{Interval, Phase, Run};
use load_plan::thresholds::{Metric, Op, Threshold};

/// Most intervals that are named as the worst.
const WORST: usize = 5;

/// The shortest interval whose rate is judged, in nanoseconds: in less, one message more or less changes the rate by
/// more than a threshold's margin.
const SHORTEST_NS: u64 = 500_000_000;

/// The metric in one interval alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Worst {
    /// Whole seconds since the start of the run.
    pub second: u64,
    /// In the base unit of the metric.
    pub value: f64,
}

/// One interval, summed up alone.
#[derive(Debug)]
pub(super) struct IntervalFigures<'a> {
    pub(super) interval: &'a Interval,
    start_ns: u64,
    pub(super) figures: Figures,
}

/// The intervals of `run` in order of time.
pub(super) fn by_interval(run: &Run) -> Vec<IntervalFigures<'_>> {
    let alone = |(start_ns, interval)| {
        let figures = Figures::of(&run.profile, [interval]);
        IntervalFigures { interval, start_ns, figures }
    };
    run.begun().map(alone).collect()
}

/// The bearing of one interval on a threshold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alone {
    /// The interval meets or violates the threshold as a whole run does.
    Judged,
    /// The interval adds to a count. Once the count exceeds the limit, it does so to the end.
    Adds,
    Nothing,
}

fn alone(threshold: &Threshold) -> Alone {
    match threshold.metric {
        Metric::Latency(_) | Metric::Timing(..) | Metric::Errors => Alone::Judged,
        metric if is_rate(metric) => Alone::Judged,
        metric if metric.is_of_allocations() => Alone::Nothing,
        // The answer to a ping may be in the next interval.
        Metric::PingsLost => Alone::Nothing,
        _ if threshold.op.is_lower() => Alone::Nothing,
        _ => Alone::Adds,
    }
}

fn is_rate(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::MessagesPerS | Metric::AchievedRate | Metric::SentMbps | Metric::ReceivedMbps
    )
}

/// When `threshold` on `stage` was first violated, in nanoseconds since the run's start, and the worst seconds.
pub(super) fn violations(
    intervals: &[IntervalFigures<'_>],
    stage: Option<usize>,
    threshold: &Threshold,
) -> (Option<u64>, Vec<Worst>) {
    let Threshold { metric, limit, .. } = *threshold;
    let alone = alone(threshold);
    if alone == Alone::Nothing {
        return (None, Vec::new());
    }
    let mut first = None;
    let mut total = 0.0;
    let mut worst = Vec::new();
    for IntervalFigures { interval, start_ns, figures } in intervals {
        let counts = stage.is_none_or(|stage| interval.stage == stage)
            && (interval.phase == Phase::Hold || !metric.is_of_holds())
            && (figures.length_ns >= SHORTEST_NS || !is_rate(metric));
        if !counts {
            continue;
        }
        let value = match alone {
            Alone::Adds => figures.observed(metric).map(|(value, _)| value),
            _ => figures.value(metric),
        };
        let Some(value) = value else {
            // An interval whose percentile falls among messages without an answer does not meet any limit.
            if figures.lost(metric).is_some() {
                first = first.or(Some(*start_ns));
            }
            continue;
        };
        total += value;
        let is_violated = match alone {
            Alone::Judged => !threshold.is_met(value),
            // A count that must be exact is not violated while it is still below its limit.
            _ => !threshold.is_met(total) && total >= limit,
        };
        if is_violated {
            first = first.or(Some(*start_ns));
        }
        // 0 is never the worst of values that must stay below a limit.
        if alone == Alone::Judged && !threshold.op.is_upper() || value > 0.0 {
            worst.push(Worst { second: interval.second, value });
        }
    }
    let badness = |value: f64| match threshold.op {
        Op::Gt | Op::Ge => -value,
        Op::Eq if alone == Alone::Judged => (value - limit).abs(),
        Op::Lt | Op::Le | Op::Eq => value,
    };
    // The sort is stable: among equals, the first interval stays first.
    worst.sort_by(|a, b| badness(b.value).total_cmp(&badness(a.value)));
    worst.truncate(WORST);
    (first, worst)
}
