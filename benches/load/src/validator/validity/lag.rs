//! Whether the generator's own lag may be the cause of a number. Pure.

use super::remedy;
use crate::summary::{Figures, Summary};
use crate::validator::check::Check;
use load_plan::metrics::{BEAT_NS, Distribution, Timing};
use load_plan::model::Run;
use load_plan::thresholds::{Metric, Statistic, Threshold};
use load_plan::units::{share, time};

/// Lag of the generator that is always allowed, in nanoseconds: epoll wakes a thread to the millisecond, so a generator
/// with time to spare may be that late.
const LEAST_LAG_NS: f64 = 1e6;

/// Lag that is allowed, as a share of the limit. The lag is part of a latency: a tenth can turn the verdict only of a target
/// that is within a tenth of its limit anyway.
const LAG_SHARE: f64 = 0.1;

/// Reasons to blame the generator for the times in `summary`.
pub(super) fn doubts(run: &Run, summary: &Summary, checks: &[Check]) -> Vec<String> {
    let off_schedule = off_schedule(run, &summary.overall);
    // Its words say it all.
    if off_schedule.is_some() {
        return Vec::from_iter(off_schedule);
    }
    checks.iter().filter_map(|check| may_explain(run, summary, check)).collect()
}

/// Lags beyond the 99th percentile that it must rest on: fewer are chance, a single late timer.
const LEAST_LATE: u64 = 10;

/// The generator sent messages of an open loop later than they were due, so that the load was not that of the profile.
fn off_schedule(run: &Run, overall: &Figures) -> Option<String> {
    if !overall.judged.contains(&Timing::RttIntended) {
        return None;
    }
    let lag = overall.timing(Timing::ScheduleLag);
    let lag_ns = lag.quantile_ns(0.99)? as f64;
    let tightest = tightest(run);
    let allowed_ns = allowed_ns(tightest.map_or(0.0, |limit| limit.limit));
    if lag_ns <= allowed_ns || lag.above(allowed_ns) < LEAST_LATE {
        return None;
    }
    let because = tightest
        .filter(|_| allowed_ns > LEAST_LAG_NS)
        .map_or_else(String::new, |limit| format!(", a tenth of {limit}"));
    Some(format!(
        "the generator was late: schedule_lag_p99 is {} and may be at most {}{because}; {}",
        time(lag_ns),
        time(allowed_ns),
        remedy(run)
    ))
}

/// The lowest upper limit on a latency of the whole run.
fn tightest(run: &Run) -> Option<Threshold> {
    let limits = run.profile.thresholds.iter().filter(|limit| is_upper_latency(limit));
    limits.min_by(|a, b| a.limit.total_cmp(&b.limit)).copied()
}

/// Whether `threshold` is an upper limit on round trips. One on the minimum says nothing about the other messages.
fn is_upper_latency(threshold: &Threshold) -> bool {
    let (Metric::Latency(statistic)
    | Metric::Timing(Timing::RttIntended | Timing::RttService, statistic)) = threshold.metric
    else {
        return false;
    };
    statistic != Statistic::Min && threshold.op.is_upper()
}

/// The limit of `check` is violated, and might be met if the generator had not been late. Lag only lengthens a time: a limit
/// that is met in spite of the lag is met.
fn may_explain(run: &Run, summary: &Summary, check: &Check) -> Option<String> {
    let Threshold { metric, op, limit, .. } = check.threshold;
    let figures = summary.figures(check.stage);
    let (of, statistic) = figures.times(metric)?;
    let is_lengthened = statistic != Statistic::Min
        && op.is_upper()
        && !matches!(metric, Metric::Timing(Timing::Connect | Timing::ScheduleLag, _));
    check.measured.filter(|_| !check.met && is_lengthened)?;
    let lag = figures.timing(Timing::ScheduleLag);
    let allowed_ns = allowed_ns(limit);
    // A stall hides answers for as long as it lasts.
    if check.silence.is_some_and(|silence| silence.outlasts(2 * lag.max_ns)) {
        return None;
    }
    let late = lag.above(allowed_ns) as f64 / lag.count as f64;
    if lag.count == 0 || late == 0.0 || is_violated_without(lag, late, of, statistic, limit) {
        return None;
    }
    Some(format!(
        "{}; the generator may be the cause: it was late by more than {} for {} of the time, and by up to {}; {}",
        check.describe(&run.profile),
        time(allowed_ns),
        share(late),
        time(lag.max_ns as f64),
        remedy(run)
    ))
}

fn allowed_ns(limit: f64) -> f64 {
    (limit * LAG_SHARE).max(LEAST_LAG_NS)
}

/// Whether `limit` would be violated also if none of the times in `of` had been lengthened by the `lag` of the generator,
/// which was late in a share `late` of its beats and messages.
fn is_violated_without(
    lag: &Distribution,
    late: f64,
    of: &Distribution,
    statistic: Statistic,
    limit: f64,
) -> bool {
    // A message may be sent late by one stall, and its answer be read late by another.
    let longest_ns = 2.0 * lag.max_ns as f64;
    // A stall lengthens what is under way during it. That began up to a limit before, or was too slow anyway; and a stall may
    // fall between two beats but for its end.
    let lengthened = late * (1.0 + (limit + allowed_ns(limit)) / BEAT_NS as f64);
    let lengthened = lengthened.min(1.0) * of.count as f64;
    if statistic == Statistic::Mean {
        return of.sum_ns as f64 - lengthened * longest_ns > limit * of.count as f64;
    }
    let beyond = statistic.quantile().map_or(0.0, |quantile| (1.0 - quantile) * of.count as f64);
    // Either more are too slow than can have been lengthened, or they are slower than the longest stalls explain.
    let slowest = of.above(limit + longest_ns) as f64;
    (of.above(limit) as f64 - lengthened.ceil()).max(slowest) > beyond
}
