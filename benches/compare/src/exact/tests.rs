use baselines::compare::Live;

use super::*;

/// A scenario that the suite could not count.
fn uncounted(verdict: Verdict) -> ScenarioReport {
    ScenarioReport {
        measured: None,
        verdict,
        unit: "message".to_owned(),
        recorded: None,
        live: Live::default(),
        sites_changed: Vec::new(),
        leaks: Vec::new(),
        notes: vec!["the reply was wrong".to_owned()],
        wavering: Vec::new(),
        slack: Vec::new(),
    }
}

/// A scenario as the suite reports it without a baseline.
fn scenario(blocks: [u64; 2]) -> ScenarioReport {
    let counts = Counts {
        ops: [1000, 2000],
        blocks,
        bytes: [10, 20],
        reads: Some([1000, 2000]),
        writes: Some([1, 2]),
        peak_bytes: [5, 5],
        ..Counts::default()
    };
    ScenarioReport { measured: Some(counts), notes: Vec::new(), ..uncounted(Verdict::Missing) }
}

fn leaking() -> ScenarioReport {
    let leak = Leak {
        key: "server::echo".to_owned(),
        place: "server/src/echo.rs:1".to_owned(),
        blocks: 1,
        bytes: 8,
    };
    let live = Live { blocks: 1, bytes: 8, ..Live::default() };
    ScenarioReport { verdict: Verdict::Leaked, live, leaks: vec![leak], ..scenario([1, 2]) }
}

#[track_caller]
fn check(
    base: Option<&ScenarioReport>,
    head: Option<&ScenarioReport>,
    verdict: Verdict,
) -> ExactRow {
    let row = judge_one("echo", base, head);
    assert_eq!(row.verdict, verdict, "{row:?}");
    row
}

#[test]
fn one_block_is_a_regression_or_an_improvement() {
    let (less, more) = (scenario([59, 59]), scenario([59, 60]));
    assert!(check(Some(&less), Some(&less), Verdict::Pass).changes.is_empty());
    assert_eq!(check(Some(&less), Some(&more), Verdict::Regressed).changes.len(), 1);
    assert_eq!(check(Some(&more), Some(&less), Verdict::Improved).changes.len(), 1);
}

#[test]
fn a_scenario_on_one_side_is_missing_or_stale() {
    let one = scenario([1, 2]);
    check(None, Some(&one), Verdict::Missing);
    check(Some(&one), None, Verdict::Stale);
}

#[test]
fn a_new_scenario_that_leaks_or_fails_is_not_merely_missing() {
    check(None, Some(&leaking()), Verdict::Leaked);
    for verdict in [Verdict::Regressed, Verdict::Nondeterministic, Verdict::Blind, Verdict::Failed]
    {
        check(None, Some(&uncounted(verdict)), verdict);
    }
}

#[test]
fn a_side_that_fails_is_worse_than_one_that_does_not() {
    let (fine, wrong) = (scenario([1, 2]), uncounted(Verdict::Regressed));
    let row = check(Some(&fine), Some(&wrong), Verdict::Regressed);
    assert_eq!(row.notes, ["head: the reply was wrong"]);
    check(Some(&wrong), Some(&fine), Verdict::Improved);
    check(Some(&wrong), Some(&wrong), Verdict::Failed);
}

#[test]
fn an_untrusted_side_gives_its_verdict_to_the_row() {
    let fine = scenario([1, 2]);
    check(Some(&fine), Some(&uncounted(Verdict::Blind)), Verdict::Blind);
    check(Some(&uncounted(Verdict::Nondeterministic)), Some(&fine), Verdict::Nondeterministic);
}

#[test]
fn a_leak_is_noted_and_its_end_is_an_improvement() {
    let fine = scenario([1, 2]);
    let leaking = leaking();
    let row = check(Some(&fine), Some(&leaking), Verdict::Leaked);
    assert_eq!(
        row.notes,
        ["head: left alive: 1 blocks, 8 bytes of server/src/echo.rs:1: server::echo"]
    );
    check(Some(&leaking), Some(&fine), Verdict::Improved);
}
