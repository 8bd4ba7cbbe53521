use proptest::prelude::*;

use super::*;
use crate::summary::fixture::{MS, SECOND, answered, distribution, interval, run};
use load_plan::metrics::Timing;
use load_plan::model::{Interval, Phase, Shard, TargetAllocations};
use load_plan::outcome::{Ending, Fault};

/// An open loop of ten connections, held to `thresholds`.
fn profile(thresholds: &str) -> String {
    format!(
        "name = 'test'\n[thresholds]\n{thresholds}\n\
         [[stage]]\nname = 'hold'\nconnections = 10\nhold = '10s'\n"
    )
}

/// A good run of it: three seconds, 1000 messages each, 4 ms.
fn good(thresholds: &str) -> Run {
    run(&profile(thresholds), (1..4).map(|second| answered(second, 0, 1000, 3 * MS)))
}

#[track_caller]
fn check(run: &Run, verdict: RunVerdict, words: &[&str]) -> Assessment {
    let assessment = validate(run);
    assert_eq!(assessment.verdict, verdict, "{assessment:#?}");
    assert_eq!(
        assessment.reasons.is_empty(),
        verdict == RunVerdict::Pass,
        "{:?}",
        assessment.reasons
    );
    let said = assessment.reasons.join("\n");
    for word in words {
        assert!(said.contains(word), "{said:?} does not say {word:?}");
    }
    assessment
}

/// A hold in which the generator was late by `lag_ns` with every message.
fn lagging(second: u64, lag_ns: u64) -> Interval {
    let mut hold = answered(second, 0, 1000, 3 * MS);
    hold.sample.timings[Timing::ScheduleLag as usize] = distribution(1000, lag_ns);
    hold
}

#[test]
fn what_meets_every_limit_passes() {
    let assessment =
        check(&good("latency_p99 = '< 10ms'\nerrors = '<= 1%'"), RunVerdict::Pass, &[]);
    let latency = &assessment.checks[0];
    assert_eq!((latency.measured, latency.samples, latency.met), (Some(4e6), 3000, true));
    assert!((latency.margin.expect("a limit above 0") - 0.6).abs() < 1e-9);
    assert_eq!(latency.first_violated_ns, None);
    assert_eq!(assessment.notices, [""; 0]);
}

#[test]
fn a_violation_says_what_by_how_much_and_since_when() {
    let seconds = [3, 12, 3, 9].into_iter().zip(1..);
    let holds = seconds.map(|(ms, second)| answered(second, 0, 1000, ms * MS));
    let run = run(&profile("latency_p99 = '< 10ms'"), holds);
    let assessment = check(
        &run,
        RunVerdict::Fail,
        &["latency_p99 is 13.0 ms, and must be < 10ms; first in second 2"],
    );
    let latency = &assessment.checks[0];
    assert!((latency.margin.expect("a limit above 0") + 0.3).abs() < 1e-2, "{latency:?}");
    assert_eq!(latency.first_violated_ns, Some(2 * SECOND));
    assert_eq!(latency.worst.iter().map(|(second, _)| *second).collect::<Vec<_>>(), [2, 4, 1, 3]);
}

#[test]
fn no_samples_are_never_a_pass() {
    let run = run(&profile("latency_p99 = '< 10ms'"), [interval(1, 0, Phase::Hold)]);
    let assessment = check(&run, RunVerdict::Fail, &["latency_p99 has no samples"]);
    assert_eq!(assessment.checks[0].margin, None);
}

#[test]
fn no_thresholds_are_never_a_pass() {
    check(&good(""), RunVerdict::Invalid, &["there is no threshold", "--threshold"]);
}

#[test]
fn a_stage_has_limits_of_its_own() {
    let profile = r#"
name = "test"
thresholds = { latency_p99 = "< 50ms" }
[[stage]]
name = "few"
connections = 5
hold = "1s"
thresholds = { latency_p99 = "< 3ms" }
[[stage]]
name = "many"
connections = 10
hold = "1s"
thresholds = { latency_p99 = "< 30ms" }
"#;
    let run = run(profile, [answered(1, 0, 1000, 3 * MS), answered(2, 1, 1000, 20 * MS)]);
    let assessment =
        check(&run, RunVerdict::Fail, &["must be < 3ms, in stage \"few\"; first in second 1"]);
    let outcomes: Vec<_> = assessment.checks.iter().map(|check| (check.stage, check.met)).collect();
    assert_eq!(outcomes, [(None, true), (Some(0), false), (Some(1), true)]);
    assert_eq!(assessment.reasons.len(), 1);
}

#[test]
fn a_generator_that_was_late_itself_says_nothing_about_its_target() {
    let late = |limit: &str, lag_ns| run(&profile(limit), [lagging(1, lag_ns), lagging(2, lag_ns)]);
    check(&late("latency_p99 = '< 1ms'", 2 * MS), RunVerdict::Invalid, &["may be 1.00 ms"]);
    check(&late("errors = '<= 1%'", 2 * MS), RunVerdict::Invalid, &["schedule_lag_p99 is 2.00 ms"]);
    check(&late("latency_p99 = '< 50ms'", 2 * MS), RunVerdict::Pass, &[]);
    let words = ["may be 5.00 ms, a tenth of latency_p99 < 50ms"];
    check(&late("latency_p99 = '< 50ms'", 6 * MS), RunVerdict::Invalid, &words);
}

#[test]
fn a_late_generator_does_not_hide_a_wrong_answer() {
    let mut hold = lagging(1, 2 * MS);
    hold.sample.counts.faults[Fault::Corrupted as usize] = 1;
    let run = run(&profile("wrong_answers = '== 0'\nlatency_p99 = '< 1us'"), [hold]);
    let assessment = check(&run, RunVerdict::Invalid, &["late itself"]);
    let notices = assessment.notices.join("\n");
    assert!(notices.contains("wrong_answers is 1, and must be == 0"), "{notices}");
    assert!(!notices.contains("latency_p99"), "{notices}");
}

#[test]
fn who_is_late_without_being_busy_shares_the_machine() {
    let mut run = run(&profile("latency_p99 = '< 1ms'"), [lagging(1, 2 * MS)]);
    check(&run, RunVerdict::Invalid, &["it used 0.20 processors, so something else"]);
    run.intervals[1].generator_cpu = 0.7;
    check(&run, RunVerdict::Invalid, &["use --workers 2"]);
    run.workers = 2;
    run.intervals[1].generator_cpu = 1.4;
    check(&run, RunVerdict::Invalid, &["--shard 0/2"]);
}

#[test]
fn lag_in_a_stage_excuses_its_own_limits_only_where_they_are_violated() {
    let profile = "name = 'test'\nthresholds = { latency_p99 = '< 100ms' }\n\
        [[stage]]\nname = 'few'\nconnections = 10\nhold = '1s'\n\
        thresholds = { latency_p99 = '< 9ms' }\n\
        [[stage]]\nname = 'many'\nconnections = 10\nhold = '20s'";
    let rest = || (2..200).map(|second| answered(second, 1, 1000, 3 * MS));
    let slow = |lag_ns, rtt_ns| {
        let mut hold = lagging(1, lag_ns);
        hold.sample.timings[Timing::RttIntended as usize] = distribution(1000, rtt_ns);
        run(profile, std::iter::once(hold).chain(rest()))
    };
    check(&slow(2 * MS, 8 * MS), RunVerdict::Pass, &[]);
    check(&slow(2 * MS, 12 * MS), RunVerdict::Invalid, &["late itself in stage \"few\""]);
    check(&slow(MS / 2, 12 * MS), RunVerdict::Fail, &["in stage \"few\""]);
}

#[test]
fn a_generator_without_processors_to_spare_is_the_bottleneck() {
    let mut run = good("latency_p99 = '< 10ms'");
    for interval in &mut run.intervals {
        interval.generator_cpu = 0.95;
    }
    check(&run, RunVerdict::Invalid, &["0.95 of 1 processor", "90.0 %", "use --workers 2"]);
    run.workers = 2;
    check(&run, RunVerdict::Pass, &[]);
    for interval in &mut run.intervals {
        interval.generator_cpu = 1.9;
    }
    check(&run, RunVerdict::Invalid, &["1.90 of 2 processors", "--shard"]);
}

#[test]
fn a_busy_ramp_is_nobodys_bottleneck() {
    let mut run = good("latency_p99 = '< 10ms'");
    for interval in run.intervals.iter_mut().filter(|interval| interval.phase != Phase::Hold) {
        interval.generator_cpu = 2.0;
    }
    check(&run, RunVerdict::Pass, &[]);
}

#[test]
fn what_is_due_and_not_sent_is_the_generators_unless_a_connection_was_full_or_gone() {
    let mut run = good("errors = '<= 1%'");
    for interval in &mut run.intervals {
        interval.sample.counts.due += 100 * interval.sample.counts.due / 1000;
    }
    check(&run, RunVerdict::Invalid, &["3,000 of 3,300 due messages", "90.9 %"]);
    let mut gone = run.clone();
    for interval in &mut gone.intervals {
        interval.open = 9;
    }
    check(&gone, RunVerdict::Fail, &["connections_missing is 1"]);
    run.intervals[2].sample.counts.backpressure_events = 1;
    check(&run, RunVerdict::Pass, &[]);
}

#[test]
fn this_machines_limits_are_not_the_targets() {
    let mut run = good("errors = '<= 50%'");
    let counts = &mut run.intervals[0].sample.counts;
    counts.attempted += 3;
    counts.endings[Ending::Descriptors as usize] = 2;
    counts.endings[Ending::Ports as usize] = 1;
    let words =
        ["2 connections could not be opened", "ulimit -n", "1 connection could", "--source-ip"];
    check(&run, RunVerdict::Invalid, &words);
}

#[test]
fn connections_have_to_add_up() {
    let mut run = good("errors = '<= 50%'");
    run.intervals[0].sample.counts.attempted += 1;
    check(&run, RunVerdict::Invalid, &["11 attempts and 10 ended"]);
    run.intervals[1].sample.counts.endings[Ending::Reset as usize] += 2;
    check(&run, RunVerdict::Invalid, &["11 attempts and 12 ended"]);
}

#[test]
fn missing_shards_and_signals_come_before_everything_else() {
    let mut run = good("latency_p99 = '< 1ms'");
    run.intervals[0].sample.counts.attempted += 1;
    run.shard = Shard { index: 1, of: 3 };
    run.shards = vec![1];
    check(&run, RunVerdict::Incomplete, &["of 3 shards, 2 are missing: 0, 2", "ws-load merge"]);
    run.interrupted = true;
    let assessment = check(&run, RunVerdict::Interrupted, &["in second 4; 10s were planned"]);
    assert!(!assessment.checks[0].met, "what was measured is still shown");
}

#[test]
fn a_preset_asks_a_foreign_target_nothing_that_it_cannot_answer() {
    let mut run = good("preset = 'enterprise'");
    let assessment = check(&run, RunVerdict::Pass, &[]);
    assert_eq!(assessment.checks.len(), 3);
    assert!(
        assessment.notices[0].contains("remaining_allocations == 0 of preset enterprise"),
        "{:?}",
        assessment.notices
    );
    let mut left = TargetAllocations {
        total_blocks: 9,
        total_bytes: 9,
        remaining_blocks: 0,
        remaining_bytes: 0,
    };
    run.allocations = Some(left.clone());
    assert_eq!(check(&run, RunVerdict::Pass, &[]).checks.len(), 4);
    left.remaining_blocks = 1;
    run.allocations = Some(left);
    check(&run, RunVerdict::Fail, &["remaining_allocations is 1, and must be == 0"]);
}

#[test]
fn who_writes_down_a_limit_on_allocations_wants_them_known() {
    let run = good("preset = 'enterprise'\nremaining_allocations = '== 0'");
    check(&run, RunVerdict::Fail, &["remaining_allocations has no samples"]);
}

#[test]
fn a_count_is_violated_in_the_second_in_which_it_exceeds_its_limit() {
    let mut run = good("lost = '<= 3'\nconnections_failed = '== 0'\nmessages_received = '>= 5000'");
    for interval in &mut run.intervals[1..4] {
        interval.sample.counts.faults[Fault::Lost as usize] = 2;
    }
    let drain = &mut run.intervals[4].sample.counts;
    (drain.endings[Ending::Clean as usize], drain.endings[Ending::Reset as usize]) = (9, 1);
    let assessment = check(&run, RunVerdict::Fail, &[]);
    let traced = |metric: &str| {
        let of = |check: &&Check| check.threshold.metric.name() == metric;
        let check = assessment.checks.iter().find(of).expect("there is one");
        (check.met, check.first_violated_ns, check.worst.clone())
    };
    assert_eq!(traced("lost"), (false, Some(2 * SECOND), vec![(1, 2.0), (2, 2.0), (3, 2.0)]));
    assert_eq!(traced("connections_failed"), (false, Some(4 * SECOND), vec![(4, 1.0)]));
    assert_eq!(traced("messages_received"), (false, None, vec![]));
}

#[test]
fn an_interval_within_a_second_begins_where_the_one_before_ends() {
    let mut ramp = interval(1, 0, Phase::Ramp);
    ramp.length_ns = SECOND / 4;
    let mut first = answered(1, 0, 100, 30 * MS);
    first.length_ns = SECOND * 3 / 4;
    let assessment = validate(&run(&profile("latency_p99 = '< 10ms'"), [ramp, first]));
    assert_eq!(assessment.checks[0].first_violated_ns, Some(SECOND + SECOND / 4));
}

#[test]
fn a_rate_of_a_sliver_of_a_second_proves_nothing() {
    let mut sliver = answered(4, 0, 0, 0);
    sliver.length_ns = MS;
    let holds = (1..4).map(|second| answered(second, 0, 1000, MS)).chain([sliver]);
    let assessment =
        check(&run(&profile("messages_per_s = '>= 900'"), holds), RunVerdict::Pass, &[]);
    assert_eq!(assessment.checks[0].first_violated_ns, None);
}

#[test]
fn a_percentile_that_rests_on_little_is_named() {
    let few = run(&profile("latency_p999 = '< 10ms'"), [answered(1, 0, 1000, MS)]);
    let assessment = check(&few, RunVerdict::Pass, &[]);
    assert!(
        assessment.notices[0].contains("latency_p999 rests on 1,000 samples"),
        "{:?}",
        assessment.notices
    );
}

#[test]
fn exit_codes_are_those_of_the_project() {
    let codes = RunVerdict::ALL.map(|verdict| (verdict.name(), verdict.exit_code()));
    let expected =
        [("pass", 0), ("fail", 3), ("invalid", 6), ("incomplete", 6), ("interrupted", 130)];
    assert_eq!(codes, expected);
}

proptest! {
    #[test]
    fn a_pass_means_that_every_limit_was_measured_and_met(
        limit_ms in 1..40_u64,
        rtts in proptest::collection::vec((1..40_u64, 0..200_u64), 0..6),
        lost in 0..3_u64,
        busy in 0.0..1.2_f64,
    ) {
        let thresholds = format!("latency_max = '<= {limit_ms}ms'\nlost = '== 0'");
        let holds: Vec<Interval> = (1..)
            .zip(&rtts)
            .map(|(second, (ms, count))| answered(second, 0, *count, ms * MS))
            .collect();
        let mut run = run(&profile(&thresholds), holds);
        run.intervals[0].sample.counts.faults[Fault::Lost as usize] = lost;
        for interval in &mut run.intervals {
            interval.generator_cpu = busy;
        }
        let assessment = validate(&run);
        // A message is answered a millisecond later than the fixture's time, counted from when it was due.
        let answered: Vec<u64> =
            rtts.iter().filter(|(_, count)| *count > 0).map(|(ms, _)| ms + 1).collect();
        let is_good = !answered.is_empty()
            && answered.iter().all(|ms| *ms <= limit_ms)
            && lost == 0;
        let trusted = busy <= 0.9 || rtts.is_empty();
        let expected = match (trusted, is_good) {
            (false, _) => RunVerdict::Invalid,
            (true, true) => RunVerdict::Pass,
            (true, false) => RunVerdict::Fail,
        };
        prop_assert_eq!(assessment.verdict, expected, "{:#?}", assessment);
        for check in &assessment.checks {
            prop_assert!(check.measured.is_some() || !check.met);
            prop_assert_eq!(check.measured.is_some(), check.samples > 0);
            prop_assert!(check.margin.is_none_or(|margin| check.met == (margin >= 0.0)));
            prop_assert!(check.worst.len() <= 5);
            prop_assert!(check.worst.is_sorted_by(|(_, a), (_, b)| a >= b));
        }
    }
}
