use super::{Mode, Pace, Profile};
use crate::metrics::Timing;
use crate::outcome::Fault;
use crate::thresholds::Metric;

/// Why `metric` cannot have samples in `stage`, or in any stage if that is `None`; `None` if it can.
pub(super) fn why_not(
    profile: &Profile,
    stage: Option<usize>,
    metric: Metric,
) -> Option<&'static str> {
    let held = |index: &usize| !profile.stages[*index].hold.is_zero();
    let stages: Vec<usize> = match stage {
        Some(stage) => vec![stage],
        None => (0..profile.stages.len()).filter(held).collect(),
    };
    let no_pace = |is_it: fn(Pace) -> bool| !stages.iter().any(|stage| is_it(profile.pace(*stage)));
    let is_idle = no_pace(|pace| pace != Pace::Idle);
    let is_closed = no_pace(|pace| matches!(pace, Pace::Open { .. }));
    let Profile { target, traffic, conduct, .. } = profile;
    let (is_subscription, has_sequence, has_time) = match &target.mode {
        Mode::Subscribe { sequence, time_ms, .. } => (true, sequence.is_some(), time_ms.is_some()),
        Mode::Echo | Mode::Request { .. } | Mode::Conversation(_) => (false, false, false),
    };
    let held_alone = stage.filter(|stage| !held(stage));
    let rules = [
        (
            held_alone.is_some() && metric.is_of_holds(),
            "nothing is measured in a stage without a hold; write hold = \"10s\"",
        ),
        (
            stage.is_some() && metric.is_of_allocations(),
            "allocations are known only for the whole run; move the limit to [thresholds]",
        ),
        (
            is_subscription && is_of_sending(metric),
            "a subscription sends nothing that would be answered; limit gap_p99 or staleness_p99",
        ),
        (
            !is_subscription && is_of_updates(metric),
            "only target.mode.subscribe measures it; remove the limit",
        ),
        (
            metric == Metric::MissedUpdates && !has_sequence,
            "write target.mode.subscribe.sequence, the place of the number in a message",
        ),
        (
            is_of(metric, Timing::Staleness) && !has_time,
            "write target.mode.subscribe.time_ms, the place of the time in a message",
        ),
        (
            is_idle && !is_subscription && (is_of_sending(metric) || is_of_messages(metric)),
            "every pace is idle, so no message is sent; remove the limit",
        ),
        (
            is_closed && is_of_schedule(metric),
            "no pace is open, so no message is due at a time; remove the limit",
        ),
        (
            (metric == Metric::PingsLost || is_of(metric, Timing::Ping)) && traffic.ping.is_none(),
            "no pings are sent; write traffic.ping = \"5s\"",
        ),
        (
            metric == Metric::ProvokedBadly
                && conduct.hostile.is_none()
                && conduct.slow_readers.is_none(),
            "nothing provokes the target; write conduct.hostile or conduct.slow_readers",
        ),
    ];
    rules.into_iter().find_map(|(holds, why)| holds.then_some(why))
}

fn is_of(metric: Metric, timing: Timing) -> bool {
    matches!(metric, Metric::Timing(of, _) if of == timing)
}

fn is_of_schedule(metric: Metric) -> bool {
    metric == Metric::AchievedRate || is_of(metric, Timing::RttIntended)
}

fn is_of_sending(metric: Metric) -> bool {
    matches!(metric, Metric::Latency(_) | Metric::Fault(Fault::Lost | Fault::Late))
        || is_of(metric, Timing::RttService)
        || is_of_schedule(metric)
}

fn is_of_updates(metric: Metric) -> bool {
    metric == Metric::MissedUpdates
        || is_of(metric, Timing::Gap)
        || is_of(metric, Timing::Staleness)
}

fn is_of_messages(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::Fault(_)
            | Metric::WrongAnswers
            | Metric::AllocationsPerMessage
            | Metric::AllocatedBytesPerMessage
    )
}
