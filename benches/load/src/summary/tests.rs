use proptest::prelude::*;

use super::fixture::{MIXED, MS, SECOND, answered, interval, lose, run};
use super::*;

#[track_caller]
fn check(figures: &Figures, metric: &str, expected: Option<(f64, u64)>) {
    let metric: Metric = metric.parse().expect("a metric");
    let got = figures.measured(metric);
    assert_eq!(got, expected, "{metric}");
}

#[test]
fn a_mixed_run_is_judged_by_the_latencies_of_all_its_stages() {
    let run = run(MIXED, [answered(1, 0, 100, 4 * MS), answered(2, 1, 300, 8 * MS)]);
    let Summary { overall, stages } = Summary::of(&run);
    check(&stages[0], "latency_max", Some((5e6, 100)));
    check(&stages[1], "latency_max", Some((8e6, 300)));
    check(&overall, "latency_mean", Some(((100.0 * 5e6 + 300.0 * 8e6) / 400.0, 400)));
    check(&overall, "rtt_service_max", Some((8e6, 400)));
    assert_eq!(stages[0].judged_name().as_deref(), Some("rtt_intended"));
    assert_eq!(overall.judged_name().as_deref(), Some("rtt_intended+rtt_service"));
}

#[test]
fn errors_outside_of_holds_count_and_latencies_do_not() {
    let mut ramp = answered(1, 0, 50, 900 * MS);
    ramp.phase = Phase::WarmUp;
    ramp.sample.counts.faults[Fault::Lost as usize] = 3;
    let run = run(MIXED, [ramp, answered(2, 0, 100, 4 * MS)]);
    let overall = Summary::of(&run).overall;
    check(&overall, "latency_p50", Some((5e6, 100)));
    check(&overall, "messages_sent", Some((100.0, 1)));
    check(&overall, "lost", Some((3.0, 150)));
    check(&overall, "error_count", Some((3.0, 160)));
    check(&overall, "errors", Some((3.0 / 160.0, 160)));
}

/// 90 messages answered after 5 ms and `lost` without an answer.
fn lossy(lost: u64) -> Figures {
    let mut hold = answered(1, 0, 90, 4 * MS);
    lose(&mut hold, lost);
    Summary::of(&run(MIXED, [hold])).overall
}

#[test]
fn a_percentile_among_lost_messages_is_unknown() {
    let figures = lossy(10);
    check(&figures, "latency_p90", Some((5e6, 100)));
    check(&figures, "latency_p95", None);
    check(&figures, "latency_max", None);
    check(&figures, "latency_min", Some((5e6, 100)));
    assert_eq!(figures.lost(Metric::Latency(Statistic::Max)), Some((10, 100)));
    assert_eq!(figures.lost(Metric::Timing(Timing::Connect, Statistic::Max)), None);
}

#[test]
fn a_lost_message_counts_in_the_mean_as_the_timeout() {
    check(&lossy(10), "latency_mean", Some((104.5e6, 100)));
    check(&lossy(89), "latency_mean", Some(((90.0 * 5e6 + 89e9) / 179.0, 179)));
    check(&lossy(90), "latency_mean", None);
}

#[test]
fn a_message_lost_in_a_ramp_is_an_error_and_no_latency() {
    let mut ramp = interval(1, 0, Phase::Ramp);
    lose(&mut ramp, 3);
    let overall = Summary::of(&run(MIXED, [ramp, answered(2, 0, 100, 4 * MS)])).overall;
    check(&overall, "latency_max", Some((5e6, 100)));
    check(&overall, "lost", Some((3.0, 103)));
}

#[test]
fn wrong_answers_do_not_include_lost_ones() {
    let mut faulty = answered(1, 0, 100, 4 * MS);
    faulty.sample.counts.faults = [1; Fault::ALL.len()];
    check(&Summary::of(&run(MIXED, [faulty])).overall, "wrong_answers", Some((4.0, 100)));
}

#[test]
fn the_error_share_is_at_most_1() {
    let mut last = interval(1, 0, Phase::Drain);
    last.sample.counts.faults[Fault::Lost as usize] = 3;
    let figures = Figures::of(&run(MIXED, []).profile, [&last]);
    check(&figures, "errors", Some((1.0, 3)));
}

#[test]
fn connect_times_of_ramps_count() {
    let run = run(MIXED, [answered(1, 0, 1, MS)]);
    check(&Summary::of(&run).overall, "connect_p99", Some((2e6, 10)));
}

#[test]
fn rates_are_of_measured_time() {
    let mut half = answered(3, 0, 50, MS);
    half.length_ns = SECOND / 2;
    let run = run(MIXED, [answered(1, 0, 100, MS), interval(2, 0, Phase::Ramp), half]);
    let overall = Summary::of(&run).overall;
    check(&overall, "messages_per_s", Some((100.0, 2)));
    check(&overall, "sent_mbps", Some((0.1, 2)));
    check(&overall, "received_mbps", Some((0.1, 2)));
}

#[test]
fn answers_after_their_hold_count_without_adding_to_its_length() {
    let mut belated = answered(2, 0, 20, 70 * MS);
    belated.length_ns = 0;
    belated.sample.counts = Tally::default();
    let run = run(MIXED, [answered(1, 0, 100, MS), belated]);
    let overall = Summary::of(&run).overall;
    check(&overall, "messages_per_s", Some((100.0, 1)));
    check(&overall, "latency_max", Some((71e6, 120)));
}

#[test]
fn a_closed_loop_has_no_achieved_rate() {
    let mut short = answered(1, 0, 90, MS);
    short.sample.counts.due = 100;
    let run = run(MIXED, [short, answered(2, 1, 500, MS)]);
    let Summary { overall, stages } = Summary::of(&run);
    check(&overall, "achieved_rate", Some((0.9, 100)));
    check(&stages[1], "achieved_rate", None);
}

#[test]
fn a_metric_without_samples_has_no_value() {
    let run = run(MIXED, []);
    let overall = Summary::of(&run).overall;
    for metric in Metric::all() {
        let of_connections = ["errors", "error_count"].contains(&metric.name().as_str())
            || (metric.name().starts_with("connect") && metric != Metric::ConnectionsMissing);
        let value = overall.value(metric);
        assert_eq!(value.is_some(), of_connections, "{metric}: {value:?}");
    }
    check(&overall, "connections_opened", Some((10.0, 10)));
}

#[test]
fn allocations_are_of_the_whole_run_and_at_least_0() {
    let mut run = run(MIXED, [answered(1, 0, 100, MS)]);
    run.allocations = Some(TargetAllocations {
        total_blocks: 300,
        total_bytes: 6_400,
        remaining_blocks: -2,
        remaining_bytes: 48,
    });
    let Summary { overall, stages } = Summary::of(&run);
    check(&overall, "remaining_allocations", Some((0.0, 1)));
    check(&overall, "remaining_bytes", Some((48.0, 1)));
    check(&overall, "allocations_per_message", Some((3.0, 100)));
    check(&overall, "allocated_bytes_per_message", Some((64.0, 100)));
    check(&stages[0], "remaining_allocations", None);
}

#[test]
fn a_percentile_needs_ten_values_beyond_it() {
    let few = Summary::of(&run(MIXED, [answered(1, 0, 999, MS)])).overall;
    let enough = Summary::of(&run(MIXED, [answered(1, 0, 1000, MS)])).overall;
    let p99 = Metric::Latency(Statistic::P99);
    assert!(!few.supports(p99) && enough.supports(p99));
    assert!(few.supports(Metric::Latency(Statistic::Max)) && few.supports(Metric::Errors));
    assert!(few.value(p99).is_some());
}

proptest! {
    #[test]
    fn a_run_is_the_sum_of_its_stages(
        holds in proptest::collection::vec((0..2_usize, 0..50_u64, 1..100_u64, 0..5_u64), 1..12)
    ) {
        let intervals: Vec<Interval> = (1..)
            .zip(&holds)
            .map(|(second, (stage, count, ms, lost))| {
                let mut hold = answered(second, *stage, *count, ms * MS);
                lose(&mut hold, *lost);
                hold.sample.counts.endings[Ending::Reset as usize] = *lost;
                hold
            })
            .collect();
        let Summary { overall, stages } = Summary::of(&run(MIXED, intervals));
        let total = |of: fn(&Figures) -> u64| stages.iter().map(of).sum::<u64>();
        prop_assert_eq!(overall.length_ns, total(|stage| stage.length_ns));
        prop_assert_eq!(overall.latency.count, total(|stage| stage.latency.count));
        prop_assert_eq!(overall.held.sent, total(|stage| stage.held.sent));
        prop_assert_eq!(overall.counts.errors(), total(|stage| stage.counts.errors()));
        for metric in Metric::all() {
            if let Some((value, samples)) = overall.measured(metric) {
                prop_assert!(value.is_finite() && samples > 0, "{}", metric);
            }
        }
    }
}

#[test]
fn wrong_answers_before_the_run_count_and_lost_ones_do_not() {
    let mut run = run(MIXED, [answered(1, 0, 10, MS)]);
    (run.before.faults[Fault::Corrupted as usize], run.before.faults[Fault::Lost as usize]) =
        (2, 3);
    let overall = Summary::of(&run).overall;
    let value = |metric| overall.value(metric);
    assert_eq!(value(Metric::WrongAnswers), Some(2.0));
    assert_eq!(value(Metric::Fault(Fault::Corrupted)), Some(2.0));
    assert_eq!(value(Metric::Fault(Fault::Lost)), Some(0.0));
}
