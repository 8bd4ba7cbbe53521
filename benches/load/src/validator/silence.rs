use super::violations::IntervalFigures;
use bench_show::units::counted;
use load_plan::metrics::Timing;
use load_plan::model::Phase;
use load_plan::thresholds::{Metric, Threshold};

/// Holds of a closed loop in which no answer came, although each connection waited for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    silent_ns: u64,
    of_ns: u64,
    shortest_ns: u64,
}

impl Silence {
    /// The silence that breaks `threshold`, an upper limit on a percentile; `None` if it does not.
    ///
    /// A closed loop sends nothing while it waits, so that a target that stops for most of the time is a handful of slow
    /// messages among many quick ones. Therefore the percentile must hold for time as well: at most a hundredth of it
    /// may be spent in intervals that are longer than a limit on p99 and have no answer.
    pub(super) fn breaking(
        threshold: &Threshold,
        intervals: &[IntervalFigures<'_>],
        stage: Option<usize>,
    ) -> Option<Self> {
        let (Metric::Latency(statistic) | Metric::Timing(Timing::RttService, statistic)) =
            threshold.metric
        else {
            return None;
        };
        let allowed = 1.0 - statistic.quantile().filter(|_| threshold.op.is_upper())?;
        let mut sum = Self { silent_ns: 0, of_ns: 0, shortest_ns: u64::MAX };
        for IntervalFigures { interval, figures, .. } in intervals {
            let is_closed = interval.phase == Phase::Hold && figures.judged == [Timing::RttService];
            if !is_closed || stage.is_some_and(|stage| interval.stage != stage) {
                continue;
            }
            sum.of_ns += interval.length_ns;
            let is_long = interval.length_ns as f64 > threshold.limit;
            if is_long && interval.open > 0 && interval.sample.counts.received == 0 {
                sum.silent_ns += interval.length_ns;
                sum.shortest_ns = sum.shortest_ns.min(interval.length_ns);
            }
        }
        (sum.silent_ns as f64 > allowed * sum.of_ns as f64).then_some(sum)
    }

    /// Whether each of its intervals is longer than `ns`.
    pub(super) fn outlasts(self, ns: u64) -> bool {
        self.shortest_ns > ns
    }

    /// `no answer came in 57 of 60 seconds`.
    pub(super) fn describe(self) -> String {
        let seconds = |ns: u64| (ns as f64 / 1e9).round() as u64;
        let of = counted(seconds(self.of_ns), "second");
        format!("no answer came in {} of {of}", seconds(self.silent_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RunVerdict, validate};
    use crate::summary::fixture::{MS, SECOND, answered, distribution, interval, run};
    use load_plan::metrics::Timing;
    use load_plan::model::{Phase, Run};

    /// Ten seconds of a closed loop held to `limit`, `silent` of them without an answer.
    fn closed(limit: &str, silent: u64) -> Run {
        let profile = format!(
            "name = 'test'\n[traffic]\npace = {{ closed = {{ depth = 1 }} }}\n\
             [thresholds]\n{limit}\n[[stage]]\nname = 'hold'\nconnections = 10\nhold = '10s'\n"
        );
        let holds = (1..11).map(|second| match second {
            _ if second <= silent => interval(second, 0, Phase::Hold),
            _ => answered(second, 0, 1000, MS),
        });
        run(&profile, holds)
    }

    #[test]
    fn a_closed_loop_that_gets_no_answer_for_seconds_does_not_meet_a_percentile() {
        let verdict = |limit, silent| validate(&closed(limit, silent)).verdict;
        assert_eq!(verdict("latency_p99 = '< 10ms'", 0), RunVerdict::Pass);
        assert_eq!(verdict("latency_p99 = '< 10ms'", 9), RunVerdict::Fail);
        assert_eq!(verdict("rtt_service_p999 = '< 10ms'", 1), RunVerdict::Fail);
        assert_eq!(verdict("latency_p50 = '< 10ms'", 5), RunVerdict::Pass);
        assert_eq!(verdict("latency_p50 = '< 10ms'", 6), RunVerdict::Fail);
        let reasons = validate(&closed("latency_p99 = '< 10ms'", 9)).reasons;
        assert!(reasons[0].contains("no answer came in 9 of 10 seconds"), "{reasons:?}");
    }

    #[test]
    fn only_a_stall_of_the_generator_that_is_as_long_explains_a_silence() {
        let stalled = |lag_ns| {
            let mut run = closed("latency_p99 = '< 10ms'", 9);
            for interval in &mut run.intervals {
                interval.sample.timings[Timing::ScheduleLag as usize] = distribution(200, lag_ns);
            }
            validate(&run).verdict
        };
        assert_eq!(stalled(20 * MS), RunVerdict::Fail);
        assert_eq!(stalled(SECOND), RunVerdict::Invalid);
    }

    #[test]
    fn seconds_without_an_answer_are_allowed_where_an_answer_may_take_longer() {
        assert_eq!(validate(&closed("latency_p99 = '< 5s'", 9)).verdict, RunVerdict::Pass);
    }
}
