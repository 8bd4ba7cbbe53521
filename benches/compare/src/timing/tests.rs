use std::cell::RefCell;

use baselines::Verdict;

use super::*;
use crate::round::Measured;

const RULE: Rule = Rule { threshold: 0.03, confidence: 0.99 };

/// A round in which the control and head were slower than base by these logarithms.
fn round(control: f64, head: f64) -> Round {
    let arm = |log_ratio: f64| Measured { ns: 1000.0, log_ratio, p99_ns: None };
    let arms = vec![arm(0.0), arm(control), arm(head)];
    Round { wall: Some(arms.clone()), cpu: Some(arms) }
}

/// Rounds close to two logarithms, all different.
fn rounds(pass: Pass, control: f64, head: f64) -> Vec<Round> {
    let near = |at: usize| (at as f64 - pass.rounds() as f64 / 2.0) * 1e-5;
    (0..pass.rounds()).map(|at| round(control + near(at), head + near(at))).collect()
}

/// The rows of one workload whose control and head `take` makes, and the passes that were asked for.
fn decide_one(take: impl Fn(Pass) -> (f64, f64)) -> (Vec<TimingRow>, Vec<Pass>) {
    let selection = select(&["text/64B".to_owned()], true, None).expect("there is such a row");
    let passes = RefCell::new(Vec::new());
    let rows = decide(&selection, RULE, |which, pass| {
        assert_eq!(which, [0]);
        passes.borrow_mut().push(pass);
        let (control, head) = take(pass);
        Ok(vec![rounds(pass, control, head)])
    });
    (rows.expect("nothing fails"), passes.into_inner())
}

#[track_caller]
fn check(take: impl Fn(Pass) -> (f64, f64), verdict: Verdict, passes: &[Pass]) {
    let (rows, asked) = decide_one(take);
    assert_eq!(asked, passes);
    assert_eq!(rows.len(), 2);
    for row in rows {
        assert_eq!(row.verdict, verdict, "{row:?}");
        assert_eq!(row.confirmed, passes.len() > 1);
        assert_eq!(row.rounds.len(), passes.last().map_or(0, |pass| pass.rounds()));
    }
}

#[test]
fn a_row_that_looks_unchanged_is_only_screened() {
    check(|_| (0.0, 0.005), Verdict::Pass, &[Pass::Screening]);
}

#[test]
fn a_suspicion_is_not_confirmed_by_the_data_that_raised_it() {
    let screening_only = |pass| if pass == Pass::Screening { (0.0, 0.2) } else { (0.0, 0.0) };
    check(screening_only, Verdict::Pass, &[Pass::Screening, Pass::Confirmation(1)]);
}

#[test]
fn a_confirmed_change_is_a_regression_or_an_improvement() {
    check(|_| (0.0, 0.05), Verdict::Regressed, &[Pass::Screening, Pass::Confirmation(1)]);
    check(|_| (0.0, -0.05), Verdict::Improved, &[Pass::Screening, Pass::Confirmation(1)]);
}

#[test]
fn a_control_that_moves_is_confirmed_three_times() {
    let passes =
        [Pass::Screening, Pass::Confirmation(1), Pass::Confirmation(2), Pass::Confirmation(3)];
    check(|_| (0.02, 0.04), Verdict::TooNoisy, &passes);
    check(|_| (0.02, 0.06), Verdict::Regressed, &passes);
    let calm_later = |pass| match pass {
        Pass::Screening | Pass::Confirmation(1) => (0.02, 0.02),
        Pass::Confirmation(_) => (0.0, 0.0),
    };
    check(calm_later, Verdict::Pass, &passes[..3]);
}
