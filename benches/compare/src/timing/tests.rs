use std::cell::RefCell;

use baselines::Verdict;

use super::*;

const RULE: Rule = Rule { threshold: 0.03, confidence: 0.99 };

/// A round in which head and the copy of base were slower than base by these logarithms.
fn round(null: f64, head: f64) -> Round {
    let arm = |log_ratio: f64| Measured { ns: 1000.0, log_ratio, p99_ns: None };
    let arms = vec![arm(0.0), arm(null), arm(head)];
    Round { wall: Some(arms.clone()), cpu: Some(arms) }
}

/// Rounds around two logarithms, none like the other.
fn rounds(stage: Stage, null: f64, head: f64) -> Vec<Round> {
    let near = |at: usize| (at as f64 - stage.rounds() as f64 / 2.0) * 1e-5;
    (0..stage.rounds()).map(|at| round(null + near(at), head + near(at))).collect()
}

/// One workload whose rounds `take` makes; its verdicts, and the stages that were asked for.
fn decide_one(take: impl Fn(Stage) -> (f64, f64)) -> (Vec<TimingRow>, Vec<Stage>) {
    let (workloads, _) = chosen(&["text/64B".to_owned()], false).expect("there is such a row");
    let stages = RefCell::new(Vec::new());
    let rows = decide(&workloads, RULE, |which, stage| {
        assert_eq!(which, [0]);
        stages.borrow_mut().push(stage);
        let (null, head) = take(stage);
        Ok(vec![rounds(stage, null, head)])
    });
    (rows.expect("nothing fails"), stages.into_inner())
}

#[track_caller]
fn check(take: impl Fn(Stage) -> (f64, f64), verdict: Verdict, stages: &[Stage]) {
    let (rows, asked) = decide_one(take);
    assert_eq!(asked, stages);
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(row.verdict, verdict, "{row:?}");
        assert_eq!(row.confirmed, stages.len() > 1);
        assert_eq!(row.rounds.len(), stages.last().map_or(0, |stage| stage.rounds()));
    }
}

#[test]
fn a_row_that_looks_unchanged_is_looked_at_once() {
    check(|_| (0.0, 0.005), Verdict::Pass, &[Stage::Screen]);
}

#[test]
fn a_suspicion_is_not_confirmed_by_the_data_that_raised_it() {
    let first_only = |stage| if stage == Stage::Screen { (0.0, 0.2) } else { (0.0, 0.0) };
    check(first_only, Verdict::Pass, &[Stage::Screen, Stage::Confirm(1)]);
}

#[test]
fn a_change_that_comes_back_has_a_direction() {
    check(|_| (0.0, 0.05), Verdict::Regressed, &[Stage::Screen, Stage::Confirm(1)]);
    check(|_| (0.0, -0.05), Verdict::Improved, &[Stage::Screen, Stage::Confirm(1)]);
}

#[test]
fn a_control_that_moves_is_given_three_more_looks() {
    let stages = [Stage::Screen, Stage::Confirm(1), Stage::Confirm(2), Stage::Confirm(3)];
    check(|_| (0.02, 0.05), Verdict::TooNoisy, &stages);
    let calm_later = |stage| match stage {
        Stage::Screen | Stage::Confirm(1) => (0.02, 0.02),
        Stage::Confirm(_) => (0.0, 0.0),
    };
    check(calm_later, Verdict::Pass, &stages[..3]);
}

#[test]
fn every_row_has_an_id_of_three_segments_and_its_own() {
    let mut ids: Vec<&str> = all().iter().flat_map(|one| [one.wall, one.cpu]).flatten().collect();
    assert!(ids.iter().all(|id| id.split('/').count() == 3), "{ids:?}");
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn a_filter_that_nothing_contains_lists_what_there_is() {
    let error = chosen(&["nothing".to_owned()], false).expect_err("no row is called so");
    assert!(error.to_string().contains("echo_latency/text/64B"), "{error}");
}

#[test]
fn a_command_is_not_asked_for_a_dashboard() {
    let (workloads, left_out) = chosen(&[], true).expect("there are rows");
    assert!(left_out.contains_key("fanout_cpu/text/c16"));
    assert!(workloads.iter().all(|one| one.cpu != Some("fanout_cpu/text/c16")));
}
