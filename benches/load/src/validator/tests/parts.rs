use super::check;
use crate::merge::merge;
use crate::summary::fixture::{MS, SECOND, answered, interval, run};
use crate::validator::RunVerdict;
use load_plan::metrics::{Recorder, Timing};
use load_plan::model::{Interval, Phase, Run, Shard};
use load_plan::profile::Profile;

/// Ten connections in two shards, held for three seconds.
const PROFILE: &str = "name = 'test'\n[thresholds]\nlatency_p99 = '< 10ms'\n\
    [[stage]]\nname = 'hold'\nconnections = 10\nramp = '1s'\nhold = '3s'\n";

/// Half of the load, held in these seconds.
fn half(index: u32, holds: impl IntoIterator<Item = u64>) -> Run {
    let holds: Vec<u64> = holds.into_iter().collect();
    let mut run = run(PROFILE, holds.iter().map(|second| answered(*second, 0, 100, 3 * MS)));
    let ramps = (1..holds[0]).map(|second| interval(second, 0, Phase::Ramp));
    run.intervals.splice(1..1, ramps);
    for Interval { open, target, .. } in &mut run.intervals {
        (*open, *target) = (*open / 2, *target / 2);
    }
    (run.shard, run.shards) = (Shard { index, of: 2 }, vec![index]);
    run
}

fn merged<const N: usize>(runs: [Run; N]) -> Run {
    merge(runs.into()).expect("they are parts of one load")
}

#[test]
fn shards_that_held_at_the_same_time_pass() {
    let mut other = half(1, 1..4);
    other.started_unix_ns += u128::from(250 * MS);
    check(&merged([half(0, 1..4), other]), RunVerdict::Pass, &[]);
}

#[test]
fn shards_that_held_one_after_another_are_invalid() {
    let words = [
        "shard 1 began to hold stage \"hold\" 4.00 s after shard 0",
        "at most 300 ms apart",
        "--start-at",
    ];
    check(&merged([half(0, 1..4), half(1, 5..8)]), RunVerdict::Invalid, &words);
    let mut late = half(1, 1..4);
    late.started_unix_ns += u128::from(4 * SECOND);
    check(&merged([half(0, 1..4), late]), RunVerdict::Invalid, &words);
}

#[test]
fn a_second_of_a_hold_that_one_shard_did_not_measure_is_invalid() {
    let mut other = half(1, 1..4);
    other.intervals.retain(|interval| interval.second != 2);
    let words = ["in second 2 of stage \"hold\", 5 connections of 10 were measured"];
    check(&merged([half(0, 1..4), other]), RunVerdict::Invalid, &words);
}

#[test]
fn an_interrupted_shard_is_named_with_its_second_beside_the_missing_ones() {
    let mut one = half(0, 1..3);
    one.interrupted = true;
    let words = ["a signal ended shard 0 in second 3; 4s were planned"];
    check(&one, RunVerdict::Interrupted, &words);
    check(&merged([one.clone(), half(1, 1..4)]), RunVerdict::Interrupted, &words);
    let mut other = half(1, 1..4);
    for run in [&mut one, &mut other] {
        run.shard.of = 3;
    }
    let words = [words[0], "of 3 shards, 1 is missing: 2"];
    check(&merged([one, other]), RunVerdict::Interrupted, &words);
}

/// A whole run of its own.
fn whole(name: &str) -> Run {
    let mut run = run(PROFILE, (1..4).map(|second| answered(second, 0, 100, 3 * MS)));
    run.run_id = name.to_owned();
    run
}

#[test]
fn whole_runs_that_did_not_run_at_the_same_time_are_invalid() {
    check(&merged([whole("a"), whole("b")]), RunVerdict::Pass, &[]);
    let mut tomorrow = whole("b");
    tomorrow.started_unix_ns += u128::from(86_400 * SECOND);
    let words = ["run b began to hold stage \"hold\"", "after run a"];
    check(&merged([whole("a"), tomorrow]), RunVerdict::Invalid, &words);
}

#[test]
fn a_doubt_about_one_of_several_whole_runs_is_not_lost_in_their_sum() {
    let mut busy = whole("b");
    for interval in &mut busy.intervals {
        interval.generator_cpu = 0.95;
    }
    check(&busy, RunVerdict::Invalid, &["0.95 of 1 processor"]);
    check(&merged([whole("a"), busy]), RunVerdict::Invalid, &["run b: the generator was the bott"]);
}

#[test]
fn a_generator_of_a_closed_loop_that_stood_still_is_not_lost_in_the_sum_of_shards() {
    let closed = "pace = { closed = { depth = 1 } }";
    let shard = |index, late: u64| {
        let mut run = half(index, 1..4);
        let profile = format!("{PROFILE}{closed}\n");
        run.profile = Profile::parse(&profile, "test").expect("it is valid");
        for hold in run.intervals.iter_mut().filter(|one| one.phase == Phase::Hold) {
            let mut recorder = Recorder::default();
            (0..100).for_each(|nth| {
                recorder.record(Timing::ScheduleLag, if nth < late { 40 * MS } else { MS / 100 });
                recorder.record(Timing::RttService, MS);
            });
            hold.sample.timings = recorder.cut().timings;
        }
        run
    };
    check(&merged([shard(0, 0), shard(1, 0)]), RunVerdict::Pass, &[]);
    // Eight of a hundred in one shard are four of a hundred in both.
    check(
        &merged([shard(0, 0), shard(1, 8)]),
        RunVerdict::Invalid,
        &["shard 1: ", "lag_p95 is 40"],
    );
}
