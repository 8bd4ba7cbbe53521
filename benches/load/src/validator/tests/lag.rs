//! The generator's own lag: it is neither blamed on the target nor an excuse for it.

use super::{check, profile};
use crate::summary::fixture::{MS, SECOND, answered, interval, run};
use crate::validator::RunVerdict;
use load_plan::metrics::{BEAT_NS, Distribution, Recorder, Timing};
use load_plan::model::{Interval, Phase, Run};
use load_plan::outcome::{Ending, Fault};

const CLOSED: &str = "[[stage]]\nname = 'closed'\nconnections = 10\nhold = '10s'\n\
    pace = { closed = { depth = 1 } }";

/// The distribution of `values` in nanoseconds.
fn of(values: impl IntoIterator<Item = u64>) -> Distribution {
    let mut recorder = Recorder::default();
    values.into_iter().for_each(|ns| recorder.record(Timing::Gap, ns));
    recorder.cut().timing(Timing::Gap).clone()
}

/// Lags of the beats of `beating_ns` nanoseconds, in which the generator stood still once for `stall_ns`.
fn beats(beating_ns: u64, stall_ns: u64) -> Vec<u64> {
    let late = (1..=stall_ns / BEAT_NS).map(|nth| stall_ns - nth * BEAT_NS);
    let on_time = beating_ns.saturating_sub(stall_ns) / BEAT_NS;
    late.chain((0..on_time).map(|_| MS / 20)).collect()
}

/// A second of a hold with these times of `timing`, and a stall of the generator.
fn stalled(timing: Timing, times: impl IntoIterator<Item = u64>, stall_ns: u64) -> Interval {
    let mut hold = interval(1, 0, Phase::Hold);
    hold.sample.counts.received = 1;
    hold.sample.timings[timing as usize] = of(times);
    hold.sample.timings[Timing::ScheduleLag as usize] = of(beats(SECOND, stall_ns));
    hold
}

/// A second in which 2000 messages were due and the generator stood still for 50 ms, after nine good ones. A hundred
/// messages waited for its end; `slow` others took 25 ms by themselves.
fn open(thresholds: &str, slow: u64) -> Run {
    let mut hold = answered(10, 0, 2000, 3 * MS);
    let waited = |ns: u64| (0..100).map(move |nth| ns + nth * MS / 2);
    let quick = 1900 - slow;
    let rtt = waited(4 * MS).chain((0..slow).map(|_| 25 * MS)).chain((0..quick).map(|_| 4 * MS));
    let lag = waited(0).chain((0..1900).map(|_| MS / 100)).chain(beats(SECOND, 50 * MS));
    hold.sample.timings[Timing::RttIntended as usize] = of(rtt);
    hold.sample.timings[Timing::ScheduleLag as usize] = of(lag);
    let good = (1..10).map(|second| {
        let mut good = answered(second, 0, 2000, 3 * MS);
        good.sample.timings[Timing::ScheduleLag as usize].add(&of(beats(SECOND, 0)));
        good
    });
    run(&profile(thresholds), good.chain([hold]))
}

#[test]
fn a_stall_of_the_generator_in_an_open_loop_is_not_blamed_on_the_target_at_any_statistic() {
    let words =
        ["latency_p999 is 4", "must be < 20ms", "the generator may be the cause", "49.5 ms"];
    check(&open("latency_p999 = '< 20ms'", 0), RunVerdict::Invalid, &words);
    check(&open("latency_max = '< 30ms'", 0), RunVerdict::Invalid, &["may be the cause"]);
    check(&open("latency_mean = '< 4010us'", 0), RunVerdict::Invalid, &["may be the cause"]);
    check(&open("latency_p99 = '< 20ms'", 0), RunVerdict::Pass, &[]);
}

#[test]
fn a_stall_of_the_generator_is_no_excuse_for_a_target_that_is_slow_without_it() {
    // The stall may have delayed some three hundred messages, of which p99.9 allows twenty to be slow.
    check(&open("latency_p999 = '< 20ms'", 1000), RunVerdict::Fail, &["latency_p999"]);
    check(&open("latency_p999 = '< 20ms'", 10), RunVerdict::Invalid, &["may be the cause"]);
    check(&open("latency_p50 = '< 1ms'", 0), RunVerdict::Fail, &["latency_p50"]);
    check(&open("latency_mean = '< 1ms'", 0), RunVerdict::Fail, &["latency_mean"]);
    // Two stalls of 50 ms do not explain 200 ms.
    let mut slow = open("latency_max = '< 30ms'", 0);
    slow.intervals[1].sample.timings[Timing::RttIntended as usize].add(&of([200 * MS]));
    check(&slow, RunVerdict::Fail, &["latency_max is 200 ms"]);
}

#[test]
fn a_stall_of_the_generator_in_a_closed_loop_is_not_blamed_on_the_target() {
    let run = |stall_ns| {
        let rtt = (0..10).map(|_| 1500 * MS).chain((0..20_000).map(|_| MS));
        let hold = stalled(Timing::RttService, rtt, stall_ns);
        let profile = format!("name = 'test'\nthresholds = {{ latency_max = '< 1s' }}\n{CLOSED}");
        run(&profile, [hold])
    };
    check(&run(900 * MS), RunVerdict::Invalid, &["latency_max is 1.50 s", "may be the cause"]);
    check(&run(0), RunVerdict::Fail, &["latency_max is 1.50 s"]);
    // A late timer of 20 ms is no reason for 1.5 s.
    check(&run(20 * MS), RunVerdict::Fail, &["latency_max is 1.50 s"]);
}

#[test]
fn a_stall_of_the_generator_is_not_blamed_on_a_subscription() {
    let run = |stall_ns| {
        let hold = stalled(Timing::Gap, [250 * MS, 250 * MS, 700 * MS], stall_ns);
        let profile = "name = 'test'\nthresholds = { gap_max = '< 500ms' }\n\
            [target]\nmode = { subscribe = {} }\n[[stage]]\nconnections = 10\nhold = '10s'";
        run(profile, [hold])
    };
    check(&run(450 * MS), RunVerdict::Invalid, &["gap_max is 700 ms", "may be the cause"]);
    check(&run(0), RunVerdict::Fail, &["gap_max is 700 ms"]);
}

#[test]
fn a_closed_loop_is_no_evidence_if_the_generator_stood_still_for_more_than_a_twentieth_of_the_time()
{
    let late = |stall_ns| {
        let hold = stalled(Timing::RttService, [MS; 2000], stall_ns);
        run(&format!("name = 'test'\nthresholds = {{ latency_p99 = '< 10ms' }}\n{CLOSED}"), [hold])
    };
    check(&late(40 * MS), RunVerdict::Pass, &[]);
    check(&late(80 * MS), RunVerdict::Invalid, &["schedule_lag_p95 is", "at most 1.00 ms"]);
}

#[test]
fn a_percentile_of_few_lags_is_not_judged() {
    let late = |limit: &str, on_time: u64| {
        let mut hold = answered(1, 0, 80, 3 * MS);
        let lag = (0..on_time).map(|_| MS / 100).chain((0..1 + on_time / 80).map(|_| 8 * MS));
        hold.sample.timings[Timing::ScheduleLag as usize] = of(lag);
        run(&profile(limit), [hold])
    };
    check(&late("latency_p95 = '< 20ms'", 79), RunVerdict::Pass, &[]);
    check(&late("latency_p95 = '< 20ms'", 7900), RunVerdict::Invalid, &["schedule_lag_p99 is 8"]);
}

/// A run with a ramp and a hold of a second each, with `stall_ns` in either, as `amend` changes it.
fn amended(
    thresholds: &str,
    pace: &str,
    stall_ns: u64,
    amend: fn(&mut Interval, &mut Interval),
) -> Run {
    let profile = format!(
        "name = 'test'\n[traffic]\npace = {pace}\ntimeout = '1s'\n[thresholds]\n{thresholds}\n\
         [[stage]]\nconnections = 10\nhold = '10s'"
    );
    let mut run = run(&profile, [stalled(Timing::RttService, [MS; 1000], stall_ns)]);
    let [ramp, hold, ..] = &mut run.intervals[..] else { panic!("a ramp and a hold") };
    ramp.sample.timings[Timing::ScheduleLag as usize] = of(beats(SECOND, stall_ns));
    hold.sample.counts.sent = 1000;
    hold.sample.counts.received = 1000;
    amend(ramp, hold);
    run
}

#[track_caller]
fn check_excused(
    thresholds: &str,
    pace: &str,
    stall_ns: u64,
    amend: fn(&mut Interval, &mut Interval),
) {
    let excused = amended(thresholds, pace, stall_ns, amend);
    check(&excused, RunVerdict::Invalid, &["the generator may be the cause"]);
    check(&amended(thresholds, pace, 0, amend), RunVerdict::Fail, &[]);
}

const CLOSED_PACE: &str = "{ closed = { depth = 1 } }";

#[test]
fn a_limit_that_lag_may_explain_does_not_excuse_the_others() {
    let both = open("latency_p999 = '< 20ms'\nlatency_p50 = '< 1ms'", 0);
    let assessment = check(&both, RunVerdict::Fail, &["latency_p50 is 4.0"]);
    assert_eq!(assessment.reasons.len(), 1, "{:?}", assessment.reasons);
    let notices = assessment.notices.join("\n");
    assert!(notices.contains("latency_p999") && notices.contains("may be the cause"), "{notices}");
    assert_eq!(assessment.violated().count(), 1);
}

#[test]
fn a_slow_connect_is_not_blamed_on_the_target_if_the_generator_stood_still_in_the_ramp() {
    check_excused("connect_p50 = '< 1s'", CLOSED_PACE, 700 * MS, |ramp, _| {
        ramp.sample.timings[Timing::Connect as usize] = of([1200 * MS; 10]);
    });
}

#[test]
fn late_answers_and_dropped_connections_are_not_blamed_on_the_target_if_the_generator_stood_still()
{
    check_excused("late = '== 0'", CLOSED_PACE, 500 * MS, |_, hold| {
        hold.sample.counts.faults[Fault::Late as usize] = 10;
    });
    check_excused("errors = '== 0%'", CLOSED_PACE, 500 * MS, |_, hold| {
        hold.sample.counts.faults[Fault::Late as usize] = 10;
    });
    check_excused("connections_failed = '== 0'", CLOSED_PACE, 2 * SECOND, |_, hold| {
        hold.sample.counts.attempted = 10;
        hold.sample.counts.endings[Ending::Reset as usize] = 10;
    });
    // The limit is implied by every profile whose connections stay.
    check_excused("late = '== 0'", CLOSED_PACE, 2 * SECOND, |_, hold| {
        hold.open = 9;
        hold.sample.counts.attempted = 1;
        hold.sample.counts.endings[Ending::Reset as usize] = 1;
    });
    // A stall does not lose messages: answers are read before they are given up.
    let lost = amended("errors = '== 0%'", CLOSED_PACE, 500 * MS, |_, hold| {
        hold.sample.counts.faults[Fault::Lost as usize] = 10;
    });
    check(&lost, RunVerdict::Fail, &["errors is"]);
}

#[test]
fn a_low_rate_is_not_blamed_on_the_target_if_the_generator_stood_still() {
    check_excused("messages_per_s = '>= 1500'", CLOSED_PACE, 500 * MS, |_, _| {});
    let slow = amended("messages_per_s = '>= 1500'", CLOSED_PACE, 100 * MS, |_, _| {});
    check(&slow, RunVerdict::Fail, &["messages_per_s is 1.00k/s"]);
    let rate = "achieved_rate = '>= 99%'";
    check(&open_rate(rate, 40), RunVerdict::Invalid, &["1,960 of 2,000 due messages"]);
    let mut held_up = open_rate(rate, 40);
    held_up.intervals[1].sample.counts.held_up = 40;
    check(&held_up, RunVerdict::Fail, &["achieved_rate is 98.0 %"]);
}

/// A second of an open loop in which 2000 messages were due, and `unsent` were not sent.
fn open_rate(thresholds: &str, unsent: u64) -> Run {
    let mut hold = answered(1, 0, 2000 - unsent, 3 * MS);
    hold.sample.counts.due = 2000;
    run(&profile(thresholds), [hold])
}
