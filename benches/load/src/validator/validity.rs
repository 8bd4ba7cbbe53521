use super::{Check, counted};
use crate::summary::{Figures, Summary};
use load_plan::metrics::{Tally, Timing};
use load_plan::model::{Interval, Phase, Run};
use load_plan::outcome::Ending;
use load_plan::profile::Pace;
use load_plan::thresholds::{Metric, Statistic, Threshold};
use load_plan::units::{count, share, significant, time};

/// Lag of the generator that is always allowed: timers of the operating system are not finer.
const LEAST_LAG_NS: f64 = 1e6;

/// Lag that is allowed, as a share of the tightest latency limit.
const LAG_SHARE: f64 = 0.1;

/// Share of its processors from which on a generator queues its own messages.
const BUSIEST: f64 = 0.9;

/// Share of its processors below which a generator is not what holds it up.
const IDLE: f64 = 0.5;

/// Share of due messages that a generator must have sent.
const LEAST_SENT: f64 = 0.95;

/// Why the run says nothing about its target; empty if it does.
pub(super) fn doubts(run: &Run, summary: &Summary, checks: &[Check]) -> Vec<String> {
    let mut reasons = Vec::new();
    reasons.extend(late(run, None, &summary.overall));
    for (index, figures) in summary.stages.iter().enumerate() {
        // Lag makes a latency longer: a limit of a short stage that holds in spite of it holds.
        let is_violated = |check: &Check| {
            check.stage == Some(index) && !check.met && is_latency(&check.threshold)
        };
        if checks.iter().any(is_violated) {
            reasons.extend(late(run, Some(index), figures));
        }
    }
    reasons.extend(busy(run));
    reasons.extend(slow(run));
    reasons.extend(exhausted(&summary.overall.counts));
    reasons.extend(unaccounted(&summary.overall.counts));
    reasons
}

/// Messages that the generator itself got round to too late.
fn late(run: &Run, stage: Option<usize>, figures: &Figures) -> Option<String> {
    let lag_ns = figures.timing(Timing::ScheduleLag).quantile_ns(0.99)? as f64;
    let tightest = tightest(run, stage);
    let of_limit = tightest.as_ref().map_or(0.0, |limit| limit.limit * LAG_SHARE);
    let allowed_ns = of_limit.max(LEAST_LAG_NS);
    if lag_ns <= allowed_ns {
        return None;
    }
    let place = stage.map_or_else(String::new, |index| {
        format!(" in stage \"{}\"", run.profile.stages[index].name)
    });
    let because = tightest
        .filter(|_| of_limit > LEAST_LAG_NS)
        .map_or_else(String::new, |limit| format!(", a tenth of {limit}"));
    Some(format!(
        "the generator was late itself{place}: schedule_lag_p99 is {} and may be {}{because}; {}",
        time(lag_ns),
        time(allowed_ns),
        relief(run)
    ))
}

/// The lowest limit that a latency must stay below, of the whole run and of `stage`.
fn tightest(run: &Run, stage: Option<usize>) -> Option<Threshold> {
    let own = stage.map(|index| &run.profile.stages[index].thresholds);
    run.profile
        .thresholds
        .iter()
        .chain(own.into_iter().flatten())
        .filter(|threshold| is_latency(threshold))
        .min_by(|a, b| a.limit.total_cmp(&b.limit))
        .copied()
}

/// Whether it keeps a round trip short. The least of all says nothing of the others.
fn is_latency(threshold: &Threshold) -> bool {
    let (Metric::Latency(statistic)
    | Metric::Timing(Timing::RttIntended | Timing::RttService, statistic)) = threshold.metric
    else {
        return false;
    };
    statistic != Statistic::Min && threshold.op.is_upper()
}

/// Processors that the generator used in holds, on average; `None` without any.
fn used(run: &Run) -> Option<f64> {
    let holds = || run.intervals.iter().filter(|interval| interval.phase == Phase::Hold);
    let length: u64 = holds().map(|interval| interval.length_ns).sum();
    let weighted = |interval: &Interval| interval.generator_cpu * interval.length_ns as f64;
    (length > 0).then(|| holds().map(weighted).sum::<f64>() / length as f64)
}

/// A generator that has hardly any processor left.
fn busy(run: &Run) -> Option<String> {
    let used = used(run)?;
    let available = run.workers.min(run.processors);
    (used > BUSIEST * f64::from(available)).then(|| {
        format!(
            "the generator was the bottleneck: it used {} of {} and may use {}; {}",
            significant(used),
            counted(available.into(), "processor"),
            share(BUSIEST),
            relief(run)
        )
    })
}

/// Messages that were due and not sent although every connection was there and none was full.
fn slow(run: &Run) -> Option<String> {
    let is_open = |stage: usize| {
        stage < run.profile.stages.len() && matches!(run.profile.pace(stage), Pace::Open { .. })
    };
    let (mut sent, mut due, mut full) = (0, 0, 0);
    for interval in &run.intervals {
        if interval.phase != Phase::Hold || !is_open(interval.stage) {
            continue;
        }
        let counts = &interval.sample.counts;
        full += counts.backpressure_events;
        if interval.open >= interval.target {
            sent += counts.sent;
            due += counts.due;
        }
    }
    let achieved = sent as f64 / due as f64;
    (due > 0 && full == 0 && achieved < LEAST_SENT).then(|| {
        format!(
            "the generator did not keep up: {} of {} were sent ({}, and {} is the least) although \
             no connection was full; {}",
            count(sent as f64),
            counted(due, "due message"),
            share(achieved),
            share(LEAST_SENT),
            relief(run)
        )
    })
}

/// What this machine ran out of.
fn exhausted(counts: &Tally) -> Vec<String> {
    let advice = |ending| match ending {
        Ending::Descriptors => "because this process may open no more files; raise ulimit -n",
        _ => "because no port is left towards the target; use --source-ip 127.0.0.2,127.0.0.3",
    };
    Ending::ALL
        .into_iter()
        .filter(|ending| ending.is_ours() && counts.ended(*ending) > 0)
        .map(|ending| {
            let failed = counted(counts.ended(ending), "connection");
            format!("{failed} could not be opened {}", advice(ending))
        })
        .collect()
}

/// Every attempt ends in exactly one way.
fn unaccounted(counts: &Tally) -> Option<String> {
    let ended: u64 = counts.endings.iter().sum();
    (ended != counts.attempted).then(|| {
        format!(
            "connections do not add up: {} and {} ended; this is a fault of ws-load, please report \
             it with report.json",
            counted(counts.attempted, "attempt"),
            count(ended as f64)
        )
    })
}

/// What gives the generator more room.
fn relief(run: &Run) -> String {
    let used = used(run).unwrap_or_default();
    if used < IDLE * f64::from(run.workers.min(run.processors)) {
        format!(
            "it used {} processors, so something else kept this machine busy: run it again, or on \
             a machine with less to do",
            significant(used)
        )
    } else if run.workers < run.processors {
        format!("use --workers {}", run.processors)
    } else {
        "use a machine with more to spare, several (--shard 0/2), or a lower rate".to_owned()
    }
}
