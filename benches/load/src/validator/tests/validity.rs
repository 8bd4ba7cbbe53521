use super::{check, good, heap, profile};
use crate::summary::fixture::{MS, answered, distribution, run};
use crate::validator::RunVerdict;
use load_plan::metrics::Timing;
use load_plan::model::{Interval, Phase};
use load_plan::outcome::{Ending, Fault};

/// A hold in which the generator was late by `lag_ns` with every message.
fn lagging(second: u64, lag_ns: u64) -> Interval {
    let mut hold = answered(second, 0, 1000, 3 * MS);
    hold.sample.timings[Timing::ScheduleLag as usize] = distribution(1000, lag_ns);
    hold
}

#[test]
fn a_late_generator_makes_a_run_invalid() {
    let late = |limit: &str, lag_ns| run(&profile(limit), [lagging(1, lag_ns), lagging(2, lag_ns)]);
    check(&late("latency_p99 = '< 1ms'", 2 * MS), RunVerdict::Invalid, &["may be at most 1.00 ms"]);
    check(&late("errors = '<= 1%'", 2 * MS), RunVerdict::Invalid, &["schedule_lag_p99 is 2.00 ms"]);
    check(&late("latency_p99 = '< 50ms'", 2 * MS), RunVerdict::Pass, &[]);
    let words = ["may be at most 5.00 ms, a tenth of latency_p99 < 50ms"];
    check(&late("latency_p99 = '< 50ms'", 6 * MS), RunVerdict::Invalid, &words);
}

#[test]
fn a_wrong_answer_or_a_leak_is_a_failure_however_late_the_generator_was() {
    let mut hold = lagging(1, 2 * MS);
    hold.sample.counts.faults[Fault::Corrupted as usize] = 1;
    let limits = "wrong_answers = '== 0'\nremaining_allocations = '== 0'\nlatency_p99 = '< 1us'";
    let mut run = run(&profile(limits), [hold]);
    run.allocations = Some(heap(3));
    let words = ["wrong_answers is 1, and must be == 0", "remaining_allocations is 3"];
    let assessment = check(&run, RunVerdict::Fail, &words);
    assert_eq!(assessment.reasons.len(), 2, "{:?}", assessment.reasons);
    assert!(assessment.notices.iter().any(|notice| notice.contains("the generator was late")));
    let counted: Vec<_> =
        assessment.violated().map(|check| check.threshold.metric.name()).collect();
    assert_eq!(counted, ["wrong_answers", "remaining_allocations"]);
}

#[test]
fn a_late_generator_is_told_to_use_more_workers_or_a_less_busy_machine() {
    let mut run = run(&profile("latency_p99 = '< 1ms'"), [lagging(1, 2 * MS)]);
    check(&run, RunVerdict::Invalid, &["it used 0.20 processors, so another program"]);
    run.intervals[1].generator_cpu = 0.7;
    check(&run, RunVerdict::Invalid, &["use --workers 2"]);
    run.workers = 2;
    run.intervals[1].generator_cpu = 1.4;
    check(&run, RunVerdict::Invalid, &["--shard 0/2"]);
}

#[test]
fn lag_in_a_stage_makes_a_run_invalid_only_if_a_limit_of_the_stage_is_violated() {
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
    check(&slow(2 * MS, 12 * MS), RunVerdict::Invalid, &["in stage \"few\"", "may be the cause"]);
    check(&slow(MS / 2, 12 * MS), RunVerdict::Fail, &["in stage \"few\""]);
}

#[test]
fn a_generator_that_uses_90_percent_of_its_processors_makes_a_run_invalid() {
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
fn a_generator_that_is_busy_in_one_stage_of_several_makes_a_run_invalid() {
    let profile = format!(
        "{}[[stage]]\nname = 'many'\nconnections = 10\nhold = '1s'\n",
        profile("latency_p99 = '< 10ms'")
    );
    let holds = (1..10).map(|second| answered(second, 0, 1000, 3 * MS));
    let mut run = run(&profile, holds.chain([answered(10, 1, 1000, 3 * MS)]));
    check(&run, RunVerdict::Pass, &[]);
    run.intervals[10].generator_cpu = 0.97;
    check(&run, RunVerdict::Invalid, &["bottleneck in stage \"many\": it used 0.97 of 1"]);
    // The ramp before was in the same second.
    run.intervals[10].length_ns = 300 * MS;
    check(&run, RunVerdict::Pass, &[]);
}

#[test]
fn a_busy_generator_in_a_ramp_is_allowed() {
    let mut run = good("latency_p99 = '< 10ms'");
    for interval in run.intervals.iter_mut().filter(|interval| interval.phase != Phase::Hold) {
        interval.generator_cpu = 2.0;
    }
    check(&run, RunVerdict::Pass, &[]);
}

#[test]
fn unsent_messages_make_a_run_invalid_unless_the_target_held_them_up() {
    let mut run = good("errors = '<= 1%'");
    for interval in &mut run.intervals {
        interval.sample.counts.due += 100 * interval.sample.counts.due / 1000;
    }
    check(&run, RunVerdict::Invalid, &["3,000 of 3,300 due messages", "90.9 %"]);
    // One full connection is no reason for what the others did not send.
    let counts = &mut run.intervals[2].sample.counts;
    (counts.backpressure_events, counts.held_up) = (1, 10);
    check(&run, RunVerdict::Invalid, &["3,000 of 3,290 due messages", "did not hold up"]);
    // What was held up and could be sent later is no reason either.
    run.intervals[2].sample.counts.held_up = 300;
    run.intervals[3].sample.counts.held_up = -290;
    check(&run, RunVerdict::Invalid, &["3,000 of 3,290 due messages"]);
    run.intervals[3].sample.counts.held_up = 0;
    check(&run, RunVerdict::Pass, &[]);
}

#[test]
fn a_missing_connection_does_not_hide_that_the_others_did_not_send() {
    let mut run = good("errors = '<= 1%'\nconnections_missing = '<= 1'");
    for interval in &mut run.intervals {
        interval.open = interval.open.saturating_sub(1);
        interval.sample.counts.due += interval.sample.counts.due / 2;
        interval.sample.counts.held_up = interval.sample.counts.due.cast_signed() / 15;
    }
    check(&run, RunVerdict::Invalid, &["3,000 of 4,200 due messages"]);
}

#[test]
fn descriptors_and_ports_that_ran_out_make_a_run_invalid() {
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
fn endings_that_do_not_add_up_to_attempts_make_a_run_invalid() {
    let mut run = good("errors = '<= 50%'");
    run.intervals[0].sample.counts.attempted += 1;
    check(&run, RunVerdict::Invalid, &["11 attempts and 10 ended"]);
    run.intervals[1].sample.counts.endings[Ending::Reset as usize] += 2;
    check(&run, RunVerdict::Invalid, &["11 attempts and 12 ended"]);
}
