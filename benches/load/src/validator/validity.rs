mod lag;

use super::check::Check;
use crate::summary::{Summary, generator_cpu};
use bench_show::units::counted;
use load_plan::metrics::Tally;
use load_plan::model::{Phase, Run};
use load_plan::outcome::Ending;
use load_plan::profile::Pace;
use load_plan::thresholds::{Metric, Threshold};
use load_plan::units::{count, share, significant};

/// Share of its processors that a generator may use. Work that arrives at random waits for load / (1 - load) times its
/// own length: 9 times at 0.9, which for messages of some 10 µs is a tenth of a millisecond, but 99 times at 0.99.
const BUSIEST: f64 = 0.9;

/// Share of its processors below which the generator's own work does not explain a lag: by the same rule, a message waits
/// for about one other at 0.5.
const IDLE: f64 = 0.5;

/// The shortest interval in nanoseconds whose processor time is mostly that of its hold, and not of a ramp in the same second.
const SHORTEST_NS: u64 = 500_000_000;

/// Share of the due messages that a generator must have sent. Below it the load was lower than the profile says by more
/// than the 5 % that a search resolves.
const LEAST_SENT: f64 = 0.95;

/// Reasons why the numbers say nothing about the target; empty if they do.
pub(super) fn doubts(run: &Run, summary: &Summary) -> Vec<String> {
    let mut reasons = Vec::new();
    reasons.extend(lag::off_schedule(run, &summary.overall));
    reasons.extend(busy(run));
    reasons.extend(slow(run, None, LEAST_SENT));
    reasons.extend(exhausted(&summary.overall.counts));
    reasons.extend(unaccounted(&summary.overall.counts));
    reasons
}

/// Why limits that are met say little about the target. What is violated is judged by itself.
pub(super) fn doubt_of_pass(run: &Run, summary: &Summary) -> Option<String> {
    lag::stood_still(run, &summary.overall)
}

/// Why the generator, and not the target, may have violated the threshold of `check` alone.
pub(super) fn doubt(run: &Run, summary: &Summary, check: &Check) -> Option<String> {
    let Threshold { metric, limit, op, .. } = check.threshold;
    match metric {
        _ if check.met => None,
        Metric::AchievedRate if op.is_lower() => slow(run, check.stage, limit),
        _ => lag::may_explain(run, summary, check),
    }
}

/// The generator had hardly any processor time left, in the whole run or in one stage of several.
fn busy(run: &Run) -> Option<String> {
    let available = run.workers.min(run.processors);
    let most = BUSIEST * f64::from(available);
    let of_stage = |index: usize| {
        let used = generator_cpu(run, |hold| hold.stage == index && hold.length_ns >= SHORTEST_NS)?;
        Some((format!(" in stage \"{}\"", run.profile.stages.get(index)?.name), used))
    };
    let overall = generator_cpu(run, |_| true).map(|used| (String::new(), used));
    let stages = (0..run.profile.stages.len()).filter_map(of_stage);
    overall.into_iter().chain(stages).find(|(_, used)| *used > most).map(|(place, used)| {
        format!(
            "the generator was the bottleneck{place}: it used {} of {} and may use at most {}; {}",
            significant(used),
            counted(available.into(), "processor"),
            share(BUSIEST),
            remedy(run)
        )
    })
}

/// Fewer than `least` of the messages that were due and that the target did not hold up were sent, in `stage` or in all.
fn slow(run: &Run, stage: Option<usize>, least: f64) -> Option<String> {
    let is_open = |index: usize| {
        index < run.profile.stages.len()
            && stage.is_none_or(|stage| stage == index)
            && matches!(run.profile.pace(index), Pace::Open { .. })
    };
    let Tally { sent, due, held_up, .. } =
        run.sum(|at| at.phase == Phase::Hold && is_open(at.stage)).counts;
    // What was held up and sent later was due as well.
    let due = due.saturating_add_signed(-held_up);
    let achieved = sent as f64 / due as f64;
    (due > 0 && achieved < least).then(|| {
        format!(
            "the generator did not keep up: it sent {} of {} ({}; at least {} are needed) that the target \
             did not hold up; {}",
            count(sent as f64),
            counted(due, "due message"),
            share(achieved),
            share(least),
            remedy(run)
        )
    })
}

/// Limits of this machine that were reached.
fn exhausted(counts: &Tally) -> Vec<String> {
    let cause = |ending| match ending {
        Ending::Descriptors => "this process may open no more files; raise ulimit -n",
        _ => "no port is left towards the target; use --source-ip 127.0.0.2,127.0.0.3",
    };
    Ending::ALL
        .into_iter()
        .filter(|ending| ending.is_ours() && counts.ended(*ending) > 0)
        .map(|ending| {
            let failed = counted(counts.ended(ending), "connection");
            format!("{failed} could not be opened because {}", cause(ending))
        })
        .collect()
}

/// Every attempt ends in exactly one way.
fn unaccounted(counts: &Tally) -> Option<String> {
    let ended: u64 = counts.endings.iter().sum();
    (ended != counts.attempted).then(|| {
        format!(
            "connections do not add up: {} and {} ended; this is a bug in ws-load, please report \
             it with report.json",
            counted(counts.attempted, "attempt"),
            count(ended as f64)
        )
    })
}

/// The advice that gives the generator more processor time.
fn remedy(run: &Run) -> String {
    let used = generator_cpu(run, |_| true).unwrap_or_default();
    if used < IDLE * f64::from(run.workers.min(run.processors)) {
        format!(
            "it used {} processors, so another program kept this machine busy; run it again, or on \
             a less busy machine",
            significant(used)
        )
    } else if run.workers < run.processors {
        format!("use --workers {}", run.processors)
    } else {
        "use a faster machine, several machines (--shard 0/2), or a lower rate".to_owned()
    }
}
