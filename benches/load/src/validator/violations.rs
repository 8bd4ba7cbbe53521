use crate::summary::Figures;
use load_plan::model::{Interval, Phase, Run};
use load_plan::thresholds::{Metric, Op, Threshold};

/// Most intervals that are named as the worst.
const WORST: usize = 5;

/// Rates of anything shorter are an accident of where it was cut.
const LEAST_NS: u64 = 500_000_000;

/// One interval, alone.
#[derive(Debug)]
pub(super) struct Moment {
    second: u64,
    start_ns: u64,
    stage: usize,
    is_hold: bool,
    figures: Figures,
}

/// The intervals of `run` in order of time. Those of one second follow each other.
pub(super) fn moments(run: &Run) -> Vec<Moment> {
    let (mut second, mut offset_ns) = (0, 0);
    let moment = |interval: &Interval| {
        if interval.second != second {
            (second, offset_ns) = (interval.second, 0);
        }
        let start_ns = second * 1_000_000_000 + offset_ns;
        offset_ns += interval.length_ns;
        Moment {
            second,
            start_ns,
            stage: interval.stage,
            is_hold: interval.phase == Phase::Hold,
            figures: Figures::of(&run.profile, [interval]),
        }
    };
    run.intervals.iter().map(moment).collect()
}

/// How a single interval bears on a metric.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alone {
    /// It has the metric as a whole run has.
    Itself,
    /// It adds to it: the limit is exceeded once and for all.
    Adds,
    /// Not at all.
    Never,
}

fn alone(threshold: &Threshold) -> Alone {
    match threshold.metric {
        Metric::Latency(_)
        | Metric::Timing(..)
        | Metric::Errors
        | Metric::MessagesPerS
        | Metric::AchievedRate
        | Metric::SentMbps
        | Metric::ReceivedMbps => Alone::Itself,
        metric if metric.is_of_allocations() => Alone::Never,
        // The answer to a ping may be in the next interval.
        Metric::PingsLost => Alone::Never,
        _ if threshold.op.is_lower() => Alone::Never,
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
pub(super) fn trace(
    moments: &[Moment],
    stage: Option<usize>,
    threshold: &Threshold,
) -> (Option<u64>, Vec<(u64, f64)>) {
    let Threshold { metric, limit, .. } = *threshold;
    let how = alone(threshold);
    if how == Alone::Never {
        return (None, Vec::new());
    }
    let mut first = None;
    let mut total = 0.0;
    let mut worst = Vec::new();
    let bears = |moment: &&Moment| {
        stage.is_none_or(|stage| moment.stage == stage)
            && (moment.is_hold || !metric.is_of_holds())
            && (moment.figures.length_ns >= LEAST_NS || !is_rate(metric))
    };
    for moment in moments.iter().filter(bears) {
        let value = match how {
            Alone::Adds => moment.figures.observed(metric).map(|(value, _)| value),
            _ => moment.figures.value(metric).map(|measured| measured.value),
        };
        let Some(value) = value else { continue };
        total += value;
        let is_violated = match how {
            Alone::Itself => !threshold.is_met(value),
            // Of an exact number, being below it is not yet a violation.
            _ => !threshold.is_met(total) && total >= limit,
        };
        if is_violated {
            first = first.or(Some(moment.start_ns));
        }
        // Nothing is never the worst of what must stay below a limit.
        if how == Alone::Itself && !threshold.op.is_upper() || value > 0.0 {
            worst.push((moment.second, value));
        }
    }
    let badness = |value: f64| match threshold.op {
        Op::Gt | Op::Ge => -value,
        Op::Eq if how == Alone::Itself => (value - limit).abs(),
        Op::Lt | Op::Le | Op::Eq => value,
    };
    // Stable: of equals, the first.
    worst.sort_by(|(_, a), (_, b)| badness(*b).total_cmp(&badness(*a)));
    worst.truncate(WORST);
    (first, worst)
}
