mod allocations;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use load_plan::metrics::{Recorder, Tally, Timing};
use load_plan::model::SCHEMA;
use load_plan::outcome::{Ending, Fault};
use load_plan::profile::Profile;

const PROFILE: &str = r#"
name = "merged"
[[stage]]
connections = 4
ramp = "1s"
hold = "5s"
[[stage]]
connections = 8
hold = "5s"
[thresholds]
latency_p99 = "< 10ms"
"#;

fn empty(shard: u32, of: u32) -> Run {
    Run {
        schema: SCHEMA,
        run_id: "r".to_owned(),
        shard: Shard { index: shard, of },
        shards: vec![shard],
        started_unix_ns: 1_795_324_443_000_000_000,
        url: "ws://127.0.0.1:9001/".to_owned(),
        profile: Profile::parse(PROFILE, "test").expect("a good profile"),
        intervals: Vec::new(),
        error_samples: Vec::new(),
        allocations: None,
        allocations_unknown: None,
        insecure: false,
        before: Tally::default(),
        doubts: Vec::new(),
        parts: Vec::new(),
        interrupted: false,
        workers: 1,
        processors: 2,
    }
}

/// An event of a run, and the shard that sees it.
#[derive(Clone, Debug)]
struct Event {
    second: u64,
    stage: usize,
    hold: bool,
    what: usize,
    ns: u64,
    shard: u32,
}

fn events(of: u32) -> impl Strategy<Value = Vec<Event>> {
    let times = (0.0..11.0_f64).prop_map(|digits| 10f64.powf(digits) as u64);
    let event = (0..6_u64, 0..2_usize, any::<bool>(), 0..10_usize, times, 0..of);
    let event = event.prop_map(|(second, stage, hold, what, ns, shard)| Event {
        second,
        stage,
        hold,
        what,
        ns,
        shard,
    });
    vec(event, 0..120)
}

/// `run` with the intervals that recorders make of the events that `keep` keeps.
fn recorded(mut run: Run, events: &[Event], keep: impl Fn(&Event) -> bool) -> Run {
    let mut recorders = BTreeMap::new();
    for event in events.iter().filter(|event| keep(event)) {
        let phase = if event.hold { Phase::Hold } else { Phase::Ramp };
        let recorder =
            recorders.entry((event.second, event.stage, phase)).or_insert_with(Recorder::default);
        let counts = &mut recorder.counts;
        match event.what {
            0 => counts.attempted += 1,
            1 => counts.endings[Ending::Reset as usize] += 1,
            2 => counts.faults[Fault::Lost as usize] += 1,
            3 => (counts.sent, counts.sent_bytes) = (counts.sent + 1, counts.sent_bytes + event.ns),
            what => recorder.record(Timing::ALL[what % Timing::ALL.len()], event.ns),
        }
    }
    run.intervals = recorders
        .into_iter()
        .map(|((second, stage, phase), mut recorder)| {
            let sample = recorder.cut();
            // Gauges that a shard knows as well as the whole run.
            let part = sample.counts.sent;
            Interval {
                second,
                stage,
                phase,
                length_ns: 1_000_000_000,
                open: part,
                target: 2 * part,
                generator_cpu: part as f64 / 8.0,
                sample,
            }
        })
        .collect();
    run
}

/// `of` shards of one stream of events, each recorded alone.
fn split(events: &[Event], of: u32) -> Vec<Run> {
    (0..of).map(|shard| recorded(empty(shard, of), events, |event| event.shard == shard)).collect()
}

#[test]
fn a_sum_says_that_the_certificate_of_one_part_was_not_checked() {
    let parts = [false, true].map(|insecure| Run { insecure, ..empty(u32::from(insecure), 2) });
    assert!(merge(parts.to_vec()).expect("they are of one run").insecure);
}

proptest! {
    // Few cases: a recorder without optimisation is slow.
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn merged_shards_equal_the_run_that_was_split(of in 2..6_u32, events in events(6)) {
        let events: Vec<_> = events.into_iter().map(|event| Event { shard: event.shard % of, ..event }).collect();
        let merged = merge(split(&events, of)).unwrap();
        let whole = recorded(empty(0, 1), &events, |_| true);
        prop_assert_eq!(&merged.intervals, &whole.intervals);
        prop_assert_eq!(merged.sum(|_| true), whole.sum(|_| true));
        prop_assert_eq!(merged.shards, (0..of).collect::<Vec<_>>());
        prop_assert_eq!((merged.workers, merged.processors), (of, 2 * of));
    }

    #[test]
    fn the_order_of_merging_does_not_matter(events in events(4), turn in 0..4_usize, cpu in vec(0.0..2.0_f64, 4)) {
        let mut shards = split(&events, 4);
        for (nth, (shard, cpu)) in shards.iter_mut().zip(cpu).enumerate() {
            let nth = nth as u64;
            shard.error_samples = vec![detail("reset", "by peer", 1 + nth % 2, 9 - nth), detail("lost", "one", nth, 7)];
            shard.intervals.iter_mut().for_each(|interval| interval.generator_cpu = cpu);
        }
        let at_once = merge(shards.clone()).unwrap();
        let [a, b, c, d] = <[Run; 4]>::try_from(shards.clone()).unwrap();
        let of = |runs: Vec<Run>| merge(runs).unwrap();
        prop_assert_eq!(&of(vec![of(vec![a.clone(), b.clone()]), of(vec![c.clone(), d.clone()])]), &at_once);
        prop_assert_eq!(&of(vec![a, of(vec![b, of(vec![c, d])])]), &at_once);
        shards.rotate_left(turn);
        prop_assert_eq!(&of(shards.clone()), &at_once);
        shards.reverse();
        prop_assert_eq!(&of(shards), &at_once);
    }

    #[test]
    fn merging_one_run_changes_nothing(events in events(1)) {
        let run = recorded(empty(0, 1), &events, |_| true);
        prop_assert_eq!(merge(vec![run.clone()]).unwrap(), run);
    }
}

fn detail(kind: &str, text: &str, count: u64, first_ns: u64) -> ErrorSample {
    ErrorSample { kind: kind.to_owned(), text: text.to_owned(), count, first_ns }
}

#[track_caller]
fn check(runs: [Run; 2], expected: &[&str]) {
    let [one, other] = runs;
    let error = merge(vec![one.clone(), other.clone()]).expect_err("they do not fit");
    for part in expected {
        assert!(error.to_string().contains(part), "no {part:?} in: {error}");
    }
    merge(vec![other, one]).expect_err("in no order");
}

#[test]
fn merging_no_run_is_an_error() {
    let error = merge(Vec::new()).expect_err("there is none");
    assert!(error.to_string().starts_with("nothing to merge"), "{error}");
}

#[test]
fn a_difference_is_named_with_both_values() {
    let mut other = empty(1, 2);
    other.profile.traffic.seed = 9;
    other.profile.stages[1].connections = 99;
    other.run_id = "s".to_owned();
    check(
        [empty(0, 2), other],
        &[
            "run.run_id (r and s)",
            "profile.stage.1.connections (8 and 99)",
            "profile.traffic.seed (1 and 9)",
        ],
    );
    check([empty(0, 2), empty(0, 3)], &["run.shard.of (2 and 3)"]);
    check([empty(0, 1), empty(1, 2)], &["run.shard.of (1 and 2)"]);
}

#[test]
fn many_differences_are_told_in_a_short_message() {
    let mut other = empty(0, 1);
    other.profile = Profile::builtin("burst").expect("there is one");
    let error = merge(vec![empty(0, 1), other]).expect_err("they differ").to_string();
    assert!(error.len() < 400 && error.contains(" more; merge the shards"), "{error}");
    let mut other = empty(0, 1);
    let stage = other.profile.stages[0].clone();
    other.profile.stages.push(stage);
    check([empty(0, 1), other], &["differ in profile.stage.2 (in the second only); "]);
}

#[test]
fn runs_with_different_thresholds_are_refused() {
    let mut other = empty(1, 2);
    other.profile.thresholds[0].limit *= 2.0;
    check([empty(0, 2), other], &["profile.thresholds.latency_p99 (\"< 10ms\" and \"< 20ms\")"]);
}

#[test]
fn the_start_of_each_part_is_kept() {
    let mut other = empty(1, 2);
    other.started_unix_ns += 7;
    let merged = merge(vec![other, empty(0, 2)]).unwrap();
    let starts = merged.parts.iter().map(|part| part.started_unix_ns - merged.started_unix_ns);
    assert_eq!(starts.collect::<Vec<_>>(), [0, 7]);
}

#[test]
fn runs_with_different_targets_are_refused() {
    let mut other = empty(1, 2);
    other.url = "ws://elsewhere/".to_owned();
    check([empty(0, 2), other.clone()], &["run.url (ws://127.0.0.1:9001/ and ws://elsewhere/)"]);
    other.url.clear();
    check([empty(0, 2), other], &["run.url (ws://127.0.0.1:9001/ and a server of its own)"]);
}

#[test]
fn runs_that_each_started_a_server_are_refused() {
    for of in [1, 2] {
        let [mut one, mut other] = [empty(0, of), empty(of - 1, of)];
        (one.url, other.url, other.run_id) = <(String, String, String)>::default();
        one.run_id = if of == 1 { "s".to_owned() } else { String::new() };
        check([one, other], &["each started a server of their own", "URL"]);
    }
}

#[test]
fn a_shard_or_a_run_given_twice_is_refused() {
    check([empty(1, 3), empty(1, 3)], &["shard 1 of 3 is given twice"]);
    check([empty(0, 1), empty(0, 1)], &["run r is given twice"]);
    let two = merge(vec![empty(1, 3), empty(2, 3)]).unwrap();
    check([two, empty(2, 3)], &["shard 2 of 3"]);
}

#[test]
fn a_missing_shard_stays_missing_in_the_sum() {
    let merged = merge(vec![empty(2, 3), empty(0, 3)]).unwrap();
    assert_eq!((merged.shard, merged.shards), (Shard { index: 0, of: 3 }, vec![0, 2]));
}

#[test]
fn a_sum_of_whole_runs_has_all_their_names() {
    let mut other = empty(0, 1);
    (other.run_id, other.interrupted) = ("b".to_owned(), true);
    other.started_unix_ns -= 5;
    let merged = merge(vec![empty(0, 1), other.clone()]).unwrap();
    assert_eq!((merged.run_id.as_str(), whole_runs(&merged)), ("b+r", 2));
    assert_eq!((merged.started_unix_ns, merged.interrupted), (other.started_unix_ns, true));
    assert_eq!(whole_runs(&other), 1);
    check([merged, other], &["run b is given twice"]);
}

#[test]
fn equal_error_samples_are_added() {
    let [mut one, mut other] = [empty(0, 2), empty(1, 2)];
    one.error_samples =
        vec![detail("reset", "by peer", 2, 70), detail("dns", "no such host", 3, 10)];
    other.error_samples = vec![detail("reset", "by peer", 4, 50)];
    let merged = merge(vec![one, other]).unwrap();
    assert_eq!(
        merged.error_samples,
        [detail("reset", "by peer", 6, 50), detail("dns", "no such host", 3, 10)]
    );
}
