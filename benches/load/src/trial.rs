//! The load of one trial of a search: one stage of the profile, at the value that is tried. Pure.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use load_plan::profile::{Conduct, Pace, Profile, Stage};
use load_plan::thresholds::{Metric, Op, Threshold, Unit};

/// What a search varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Varied {
    /// Messages per second of all connections together.
    Rate,
    /// Connections.
    Connections,
}

/// `profile` with its largest stage alone, at `value`, held for `hold` or, without, for its own time.
///
/// Limits on counts that grow with time are scaled with it: the profile's are for the sum of its holds.
///
/// # Errors
///
/// If the profile is not valid at `value`, or has no rate to vary.
pub fn trial(
    profile: &Profile,
    varied: Varied,
    value: f64,
    hold: Option<Duration>,
) -> Result<Profile> {
    let mut tried = profile.clone();
    let largest = |stage: &&Stage| (!stage.hold.is_zero(), stage.connections, stage.hold);
    let stage = profile.stages.iter().max_by_key(largest);
    let mut stage = stage.cloned().context("the profile has no stage")?;
    let pace = stage.pace.unwrap_or(profile.traffic.pace);
    match (varied, pace) {
        (Varied::Connections, _) => stage.connections = value.round() as u32,
        (Varied::Rate, Pace::Open { arrival, .. }) => {
            let rate = value / f64::from(stage.connections.max(1));
            stage.pace = Some(Pace::Open { rate, arrival });
        }
        (Varied::Rate, _) => {
            bail!("only an open loop has a rate to search for; use --connections")
        }
    }
    let all: Duration = profile.stages.iter().map(|stage| stage.hold).sum();
    let own = stage.hold;
    stage.hold = hold.unwrap_or(own);
    // At most 1000 new connections per second, which any server should accept.
    let quickest = Duration::from_secs_f64(f64::from(stage.connections) / 1000.0);
    stage.ramp = stage.ramp.min(Duration::from_secs(2)).max(quickest);
    let scale = |thresholds: &mut [Threshold], measured: Duration| {
        let factor = stage.hold.as_secs_f64() / measured.as_secs_f64();
        for threshold in thresholds {
            scale(threshold, factor, &profile.conduct);
        }
    };
    scale(&mut tried.thresholds, all);
    let mut thresholds = stage.thresholds.clone();
    scale(&mut thresholds, own);
    stage.thresholds = thresholds;
    tried.stages = vec![stage];
    tried
        .check()
        .with_context(|| format!("the profile is not valid at {value}; give a lower --to"))?;
    Ok(tried)
}

/// Makes a limit on a count one for `factor` times the time.
fn scale(threshold: &mut Threshold, factor: f64, conduct: &Conduct) {
    if !grows(threshold.metric, conduct) || threshold.limit == 0.0 || factor == 1.0 {
        return;
    }
    if threshold.op.is_upper() {
        // In less time, a count that exceeds the whole limit violates it all the more.
        threshold.limit *= factor.max(1.0);
    } else {
        // The exact count of another time is not known.
        threshold.op = if threshold.op == Op::Gt { Op::Gt } else { Op::Ge };
        // A limit that every count meets would judge nothing.
        let least = if threshold.op == Op::Gt { 0.0 } else { 1.0 };
        threshold.limit = (threshold.limit * factor).floor().max(least);
    }
}

/// Whether `metric` is a count that is the higher the longer a load lasts.
fn grows(metric: Metric, conduct: &Conduct) -> bool {
    let reconnects = conduct.lifetime.is_some() || conduct.storm.is_some();
    match metric {
        Metric::ConnectionsMissing => false,
        Metric::ConnectionsAttempted | Metric::ConnectionsOpened => reconnects,
        _ => metric.unit() == Unit::Count && !metric.is_of_allocations(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "name = 'test'\n[traffic]\npace = { open = { rate = 20 } }\n\
        [[stage]]\nname = 'few'\nconnections = 2\nhold = '5s'\n\
        [[stage]]\nname = 'many'\nconnections = 10\nhold = '20s'\n\
        thresholds = { messages_received = '>= 3000' }\n\
        [[stage]]\nname = 'peak'\nconnections = 99\nramp = '1s'\n\
        [thresholds]\nmessages_received = '>= 5000'\nlost = '<= 5'\nwrong_answers = '== 0'\n\
        connections_opened = '>= 10'\nlatency_p99 = '< 10ms'\nmessages_sent = '== 4400'\n";

    fn limits(thresholds: &[Threshold]) -> Vec<String> {
        thresholds.iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn check(profile: &str, hold: Option<u64>, whole: &[&str], of_stage: &[&str]) -> Stage {
        let profile = Profile::parse(profile, "test").expect("a good profile");
        let tried = trial(&profile, Varied::Rate, 200.0, hold.map(Duration::from_secs));
        let tried = tried.expect("it is valid at 200");
        assert_eq!(limits(&tried.thresholds), whole);
        assert_eq!(limits(&tried.stages[0].thresholds), of_stage);
        assert_eq!(tried.stages.len(), 1);
        tried.stages[0].clone()
    }

    #[test]
    fn limits_on_counts_of_messages_are_scaled_with_the_time_of_a_trial() {
        let whole = [
            "latency_p99 < 10ms",
            "connections_opened >= 10",
            "lost <= 5",
            "wrong_answers == 0",
            "messages_sent >= 352",
            "messages_received >= 400",
        ];
        let stage = check(PROFILE, Some(2), &whole, &["messages_received >= 300"]);
        assert_eq!((stage.name.as_str(), stage.hold), ("many", Duration::from_secs(2)));
    }

    #[test]
    fn the_trial_that_confirms_has_the_share_of_its_stage_in_a_limit_on_the_whole_run() {
        let whole = [
            "latency_p99 < 10ms",
            "connections_opened >= 10",
            "lost <= 5",
            "wrong_answers == 0",
            "messages_sent >= 3520",
            "messages_received >= 4000",
        ];
        check(PROFILE, None, &whole, &["messages_received >= 3000"]);
    }

    #[test]
    fn a_trial_that_is_longer_than_the_profile_may_have_more_of_each_fault() {
        let profile = "name = 'test'\n[[stage]]\nconnections = 10\nhold = '2s'\n\
            [thresholds]\nlost = '<= 2'\n";
        check(profile, Some(5), &["lost <= 5"], &[]);
    }
}
