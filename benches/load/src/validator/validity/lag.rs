//! Whether the generator's own lag may be the cause of a number. Pure.

use super::remedy;
use crate::summary::{Figures, Summary};
use crate::validator::check::Check;
use load_plan::metrics::{BEAT_NS, Distribution, Tally, Timing};
use load_plan::model::Run;
use load_plan::outcome::Fault;
use load_plan::thresholds::{Metric, Statistic, Threshold};
use load_plan::units::{share, time};

/// Lag of the generator that is always allowed, in nanoseconds: epoll wakes a thread to the millisecond, so a generator
/// with time to spare may be that late.
const LEAST_LAG_NS: f64 = 1e6;

/// Lag that is allowed, as a share of the limit. The lag is part of a latency: a tenth can turn the verdict only of a target
/// that is within a tenth of its limit anyway.
const LAG_SHARE: f64 = 0.1;

/// Silence of a client in nanoseconds after which a peer may skip updates for it or drop it.
const SILENT_NS: u64 = 1_000_000_000;

/// Late beats and messages that a percentile of the lag must rest on: fewer are chance, a single late timer.
const LEAST_LATE: u64 = 10;

/// The generator sent messages of an open loop later than they were due, so that the load was not that of the profile.
pub(super) fn off_schedule(run: &Run, overall: &Figures) -> Option<String> {
    let is_open = overall.judged.contains(&Timing::RttIntended);
    is_open.then(|| late(run, overall, Statistic::P99)).flatten()
}

/// The generator of a closed loop stood still for more of the time than a search resolves. Then a limit that is met says
/// little: the load was lower.
pub(super) fn stood_still(run: &Run, overall: &Figures) -> Option<String> {
    let is_closed = overall.judged == [Timing::RttService];
    is_closed.then(|| late(run, overall, Statistic::P95)).flatten()
}

/// The percentile `statistic` of the lag is more than is allowed.
fn late(run: &Run, overall: &Figures, statistic: Statistic) -> Option<String> {
    let lag = overall.timing(Timing::ScheduleLag);
    let lag_ns = lag.quantile_ns(statistic.quantile()?)? as f64;
    let tightest = tightest(run);
    let allowed_ns = allowed_ns(tightest.map_or(0.0, |limit| limit.limit));
    if lag_ns <= allowed_ns || lag.above(allowed_ns) < LEAST_LATE {
        return None;
    }
    let because = tightest
        .filter(|_| allowed_ns > LEAST_LAG_NS)
        .map_or_else(String::new, |limit| format!(", a tenth of {limit}"));
    Some(format!(
        "the generator was late: schedule_lag_{} is {} and may be at most {}{because}; {}",
        statistic.name(),
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
pub(super) fn may_explain(run: &Run, summary: &Summary, check: &Check) -> Option<String> {
    let Check { threshold, stage, .. } = check;
    let measured = check.measured.filter(|_| !check.met)?;
    let figures = summary.figures(*stage);
    let (lag, length_ns) = match threshold.metric.is_of_holds() {
        true => (figures.timing(Timing::ScheduleLag), figures.length_ns),
        false => (&figures.whole_lag.0, figures.whole_lag.1),
    };
    let stalls = Stalls { lag, time_ns: length_ns as f64 * f64::from(run.workers) };
    let timeout_ns = run.profile.traffic.timeout.as_nanos() as f64;
    let (is_explained, allowed_ns) = match threshold.metric {
        Metric::Timing(Timing::ScheduleLag, _) => return None,
        Metric::Latency(_) | Metric::Timing(..) => {
            // A stall hides answers for as long as it lasts.
            let is_silent = check.silence.is_some_and(|silence| silence.outlasts(2 * lag.max_ns));
            let is_explained = !is_silent && stalls.explain_times(figures, threshold);
            (is_explained, allowed_ns(threshold.limit))
        }
        metric if is_rate(metric) => (stalls.explain_rate(measured, threshold), LEAST_LAG_NS),
        _ => {
            let without = stalls.without(&figures.counts, timeout_ns, threshold.metric);
            (without.is_some_and(|value| threshold.is_met(value)), allowed_ns(timeout_ns))
        }
    };
    is_explained.then(|| {
        format!(
            "{}; the generator may be the cause: it was late by more than {} with {} of its beats and messages, and by up to {}; {}",
            check.describe(&run.profile),
            time(allowed_ns),
            share(stalls.late(allowed_ns)),
            time(lag.max_ns as f64),
            remedy(run)
        )
    })
}

fn allowed_ns(limit: f64) -> f64 {
    (limit * LAG_SHARE).max(LEAST_LAG_NS)
}

fn is_rate(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::MessagesSent
            | Metric::MessagesReceived
            | Metric::MessagesPerS
            | Metric::SentMbps
            | Metric::ReceivedMbps
    )
}

/// Lags of the generator, and the time of all workers in nanoseconds in which they happened.
#[derive(Clone, Copy)]
struct Stalls<'a> {
    lag: &'a Distribution,
    time_ns: f64,
}

impl Stalls<'_> {
    /// Share of the beats and messages that were late by more than `allowed_ns`.
    fn late(self, allowed_ns: f64) -> f64 {
        match self.lag.count {
            0 => 0.0,
            all => self.lag.above(allowed_ns) as f64 / all as f64,
        }
    }

    /// Share of the times that stalls can have lengthened, among those that may turn a `limit` on them: what begins in a
    /// stall, and what is under way when it begins. That began a limit before at most, or was too slow anyway.
    fn lengthened(self, limit: f64) -> f64 {
        let allowed_ns = allowed_ns(limit);
        // The last beat of each stall but one is late by less than a beat more than the next one.
        let stalls = self.lag.above(allowed_ns) - self.lag.above(allowed_ns + BEAT_NS as f64);
        let under_way = stalls as f64 * (limit + allowed_ns) / self.time_ns.max(1.0);
        (self.late(allowed_ns) + under_way).min(1.0)
    }

    /// Whether the upper limit of `threshold` might be met if no time had been lengthened.
    fn explain_times(self, figures: &Figures, threshold: &Threshold) -> bool {
        let Threshold { metric, op, limit, .. } = *threshold;
        let Some((of, statistic)) = figures.times(metric) else { return false };
        if !op.is_upper() || statistic == Statistic::Min || self.late(allowed_ns(limit)) == 0.0 {
            return false;
        }
        // A message may be sent late by one stall, and its answer be read late by another.
        let longest_ns = 2.0 * self.lag.max_ns as f64;
        let lengthened = self.lengthened(limit) * of.count as f64;
        if statistic == Statistic::Mean {
            return of.sum_ns as f64 - lengthened * longest_ns <= limit * of.count as f64;
        }
        let beyond = statistic.quantile().map_or(0.0, |quantile| 1.0 - quantile) * of.count as f64;
        // Too many are either more than can have been lengthened, or slower than the longest stalls explain.
        let slowest = of.above(limit + longest_ns) as f64;
        (of.above(limit) as f64 - lengthened.ceil()).max(slowest) <= beyond
    }

    /// Whether the lower limit of `threshold` might be met if the generator had run all the time.
    fn explain_rate(self, measured: f64, threshold: &Threshold) -> bool {
        let late = self.late(LEAST_LAG_NS);
        threshold.op.is_lower() && late > 0.0 && threshold.is_met(measured / (1.0 - late))
    }

    /// The value of `metric` without the errors that stalls can have made: answers after the timeout, and whatever a peer
    /// does to a client that is silent for long. `None` if it counts no such errors.
    fn without(self, counts: &Tally, timeout_ns: f64, metric: Metric) -> Option<f64> {
        let lengthened = (self.lengthened(timeout_ns) * counts.sent as f64).ceil() as u64;
        let late = counts.faulty(Fault::Late).min(lengthened);
        let is_silent = self.lag.max_ns >= SILENT_NS;
        let failed = if is_silent { counts.failed() } else { 0 };
        if late + failed == 0 && !is_silent {
            return None;
        }
        Some(match metric {
            Metric::Errors => (counts.errors() - late - failed) as f64 / counts.tried() as f64,
            Metric::ErrorCount => (counts.errors() - late - failed) as f64,
            Metric::Fault(Fault::Late) => (counts.faulty(Fault::Late) - late) as f64,
            Metric::ConnectionsFailed => (counts.failed() - failed) as f64,
            Metric::ConnectionsMissing if failed > 0 => 0.0,
            Metric::MissedUpdates if is_silent => 0.0,
            _ => return None,
        })
    }
}
