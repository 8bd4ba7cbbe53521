//! The implied limit of a profile whose connections come and go on purpose: they must come back. Pure.

use super::check::Check;
use super::violations::Worst;
use load_plan::model::{Interval, Phase, Run};
use load_plan::thresholds::{Metric, Op, Threshold};

/// A violation in `stage`, or in any if that is `None`: for longer than the jitter of a storm and the timeout, second after
/// second, fewer than half of the connections were open. A closed loop would hardly notice: it measures only what is sent.
pub(super) fn kept_away(run: &Run, stage: Option<usize>) -> Option<Check> {
    let jitter = run.profile.conduct.storm.map(|storm| storm.jitter).unwrap_or_default();
    let patience_ns = (jitter + run.profile.traffic.timeout).as_nanos() as u64;
    let holds = run.intervals.iter().filter(|at| at.phase == Phase::Hold && at.length_ns > 0);
    let holds: Vec<&Interval> =
        holds.filter(|at| stage.is_none_or(|stage| at.stage == stage)).collect();
    let is_away = |at: &Interval| 2 * at.open < at.target;
    let mut in_a_row =
        holds.chunk_by(|one, next| one.stage == next.stage && is_away(one) && is_away(next));
    let away = in_a_row.find(|row| {
        is_away(row[0]) && row.iter().map(|at| at.length_ns).sum::<u64>() > patience_ns
    })?;
    let missing = |at: &Interval| (at.target - at.open) as f64;
    let limit = Threshold::new(Metric::ConnectionsMissing, Op::Le, (away[0].target / 2) as f64);
    let least = away.iter().map(|at| missing(at)).fold(f64::INFINITY, f64::min);
    let worst = away.iter().map(|at| Worst { second: at.second, value: missing(at) });
    Some(Check {
        threshold: limit,
        stage: Some(away[0].stage),
        measured: Some(least),
        samples: away.len() as u64,
        lost: None,
        silence: None,
        doubt: None,
        margin: limit.margin(least),
        met: false,
        first_violated_ns: Some(away[0].second * 1_000_000_000),
        worst: worst.take(5).collect(),
    })
}

#[cfg(test)]
mod tests {
    use crate::summary::fixture::{MS, answered, run};
    use crate::validator::{RunVerdict, validate};

    /// A closed loop in which `open` of ten connections are open at the end of each second, and that meets its limits.
    fn judged(conduct: &str, limits: &str, open: &[u64]) -> crate::validator::Assessment {
        let profile = format!(
            "name = 'test'\n[traffic]\ntimeout = '3s'\npace = {{ closed = {{ depth = 1 }} }}\n\
             [conduct]\n{conduct}\n[thresholds]\nlatency_p99 = '< 10ms'\n{limits}\n\
             [[stage]]\nname = 'hold'\nconnections = 10\nhold = '10s'"
        );
        let holds = (1..).zip(open).map(|(second, open)| {
            let mut hold = answered(second, 0, 1_000, 3 * MS);
            hold.open = *open;
            hold
        });
        validate(&run(&profile, holds))
    }

    const CHURN: &str = "lifetime = '1s'";

    #[test]
    fn connections_that_do_not_come_back_are_a_failure_also_of_a_closed_loop() {
        let dead = judged(CHURN, "", &[10, 9, 3, 2, 0, 1, 0]);
        assert_eq!(dead.verdict, RunVerdict::Fail);
        let words =
            "connections_missing is 7, and must be <= 5, in stage \"hold\"; first in second 3";
        assert_eq!(dead.reasons, [words]);
    }

    #[test]
    fn connections_that_come_back_within_the_jitter_and_the_timeout_are_none() {
        assert_eq!(judged(CHURN, "", &[10, 0, 0, 0, 10, 0, 0, 0, 5]).verdict, RunVerdict::Pass);
        let storm = "storm = { every = '10s', jitter = '2s' }";
        assert_eq!(judged(storm, "", &[0, 0, 0, 0, 0, 9]).verdict, RunVerdict::Pass);
        assert_eq!(judged(storm, "", &[0, 0, 0, 0, 0, 0, 9]).verdict, RunVerdict::Fail);
    }

    #[test]
    fn a_limit_of_the_profile_replaces_the_implied_one() {
        let written = judged(CHURN, "connections_missing = '<= 10'", &[0; 8]);
        assert_eq!(written.verdict, RunVerdict::Pass, "{:?}", written.reasons);
    }
}
