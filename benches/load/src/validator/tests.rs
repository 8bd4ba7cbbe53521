mod lag;
mod parts;
mod validity;

use proptest::prelude::*;

use super::*;
use crate::summary::fixture::{MS, SECOND, answered, interval, run};
use load_plan::model::{Interval, Phase, Shard, TargetAllocations};
use load_plan::outcome::{Ending, Fault};

/// An open loop of ten connections, held to `thresholds`.
fn profile(thresholds: &str) -> String {
    format!(
        "name = 'test'\n[thresholds]\n{thresholds}\n\
         [[stage]]\nname = 'hold'\nconnections = 10\nhold = '10s'\n"
    )
}

/// A good run of [`profile`]: three seconds with 1000 messages each, answered after 4 ms.
fn good(thresholds: &str) -> Run {
    run(&profile(thresholds), (1..4).map(|second| answered(second, 0, 1000, 3 * MS)))
}

/// A target that kept `blocks` blocks.
fn heap(blocks: i64) -> TargetAllocations {
    TargetAllocations {
        total_blocks: 9,
        total_bytes: 9,
        remaining_blocks: blocks,
        remaining_bytes: 0,
    }
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

#[test]
fn a_run_that_meets_every_limit_passes() {
    let assessment =
        check(&good("latency_p99 = '< 10ms'\nerrors = '<= 1%'"), RunVerdict::Pass, &[]);
    let latency = &assessment.checks[0];
    assert_eq!((latency.measured, latency.samples, latency.met), (Some(4e6), 3000, true));
    assert!((latency.margin.expect("a limit above 0") - 0.6).abs() < 1e-9);
    assert_eq!(latency.first_violated_ns, None);
    assert_eq!(assessment.notices, [""; 0]);
}

#[test]
fn a_violation_names_the_value_the_limit_and_the_first_second() {
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
    assert_eq!(latency.worst.iter().map(|worst| worst.second).collect::<Vec<_>>(), [2, 4, 1, 3]);
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
fn missing_connections_are_a_failure_in_each_stage_that_does_not_allow_them() {
    let stage = |name: &str, limit: &str| {
        format!(
            "[[stage]]\nname = '{name}'\nconnections = 10\nhold = '1s'\n[stage.thresholds]\n{limit}\n"
        )
    };
    let check_stages = |first: &str, missing: [u64; 2], verdict, words: &[&str]| {
        let second = stage("b", "errors = '== 0'");
        let mut holds = [answered(1, 0, 1000, MS), answered(2, 1, 1000, MS)];
        for (hold, missing) in holds.iter_mut().zip(missing) {
            hold.open -= missing;
        }
        let profile = format!("name = 'test'\n{}{second}", stage("a", first));
        check(&run(&profile, holds), verdict, words);
    };
    let words = ["connections_missing is 3, and must be == 0"];
    check_stages("latency_p99 = '< 1s'", [3, 0], RunVerdict::Fail, &words);
    let own = "connections_missing = '<= 3'";
    check_stages(own, [3, 0], RunVerdict::Pass, &[]);
    check_stages(own, [3, 1], RunVerdict::Fail, &["connections_missing is 1", "in stage \"b\""]);
}

#[test]
fn missing_shards_and_signals_outrank_every_other_verdict() {
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
fn a_wrong_answer_is_noticed_in_a_part_of_a_run() {
    let mut run = good("wrong_answers = '== 0'");
    run.intervals[1].sample.counts.faults[Fault::Corrupted as usize] = 1;
    run.shard = Shard { index: 0, of: 2 };
    let noticed = |assessment: Assessment| {
        let notices = assessment.notices.join("\n");
        assert!(notices.contains("wrong_answers is 1, and must be == 0"), "{notices}");
    };
    noticed(check(&run, RunVerdict::Incomplete, &[]));
    run.interrupted = true;
    noticed(check(&run, RunVerdict::Interrupted, &[]));
}

#[test]
fn a_preset_leaves_out_allocations_of_a_target_that_reports_none() {
    let mut run = good("preset = 'enterprise'");
    let assessment = check(&run, RunVerdict::Pass, &[]);
    assert_eq!(assessment.checks.len(), 3);
    assert!(
        assessment.notices[0].contains("remaining_allocations == 0 of preset enterprise"),
        "{:?}",
        assessment.notices
    );
    run.allocations = Some(heap(0));
    assert_eq!(check(&run, RunVerdict::Pass, &[]).checks.len(), 4);
    run.allocations = Some(heap(1));
    check(&run, RunVerdict::Fail, &["remaining_allocations is 1, and must be == 0"]);
}

#[test]
fn a_written_limit_on_allocations_fails_without_samples() {
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
        let worst: Vec<_> = check.worst.iter().map(|worst| (worst.second, worst.value)).collect();
        (check.met, check.first_violated_ns, worst)
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
fn a_rate_of_a_few_milliseconds_violates_nothing() {
    let mut sliver = answered(4, 0, 0, 0);
    sliver.length_ns = MS;
    let holds = (1..4).map(|second| answered(second, 0, 1000, MS)).chain([sliver]);
    let assessment =
        check(&run(&profile("messages_per_s = '>= 900'"), holds), RunVerdict::Pass, &[]);
    assert_eq!(assessment.checks[0].first_violated_ns, None);
}

#[test]
fn a_percentile_of_few_samples_has_a_notice() {
    let few = run(&profile("latency_p999 = '< 10ms'"), [answered(1, 0, 1000, MS)]);
    let assessment = check(&few, RunVerdict::Pass, &[]);
    assert!(
        assessment.notices[0].contains("latency_p999 is based on only 1,000 samples"),
        "{:?}",
        assessment.notices
    );
}

#[test]
fn a_percentile_that_is_the_largest_of_its_samples_is_no_pass() {
    let few = |limits: &str| run(&profile(limits), [answered(1, 0, 99, MS)]);
    let words = ["is based on 99 samples and needs 100", "hold it longer"];
    check(&few("latency_p99 = '< 10ms'"), RunVerdict::Invalid, &words);
    check(&few("latency_p99 = '< 1ms'"), RunVerdict::Fail, &["latency_p99 is 2.00 ms"]);
    check(&few("latency_p95 = '< 10ms'"), RunVerdict::Pass, &[]);
    let beside = "latency_p99 = '< 10ms'\nlatency_mean = '< 1ms'";
    let assessment = check(&few(beside), RunVerdict::Fail, &["latency_mean"]);
    assert!(assessment.notices[0].contains("needs 100"), "{:?}", assessment.notices);
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
        // From when it was due, a message is answered 1 ms later than the fixture says.
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
            prop_assert!(check.worst.is_sorted_by(|a, b| a.value >= b.value));
        }
    }
}
