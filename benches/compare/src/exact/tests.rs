use super::*;

const LEAK: &str = r#"{"verdict": "leaked", "unit": "message", "ops": [1000, 2000], "blocks": [1, 2], "bytes": [10, 20],
        "reads": [1000, 2000], "writes": [1, 2], "peak_bytes": [5, 5], "live_blocks": 1, "live_bytes": 8, "live_fds": 0,
        "live_tasks": 0, "leaks": [{"key": "server::echo", "place": "server/src/echo.rs:1", "blocks": 1, "bytes": 8}]}"#;

/// A scenario as the suite reports it.
fn scenario(blocks: [u64; 2]) -> Scenario {
    let json = format!(
        r#"{{"ops": [1000, 2000], "blocks": {blocks:?}, "bytes": [10, 20], "reads": [1000, 2000], "writes": [1, 2],
        "peak_bytes": [5, 5], "verdict": "missing", "unit": "message", "live_blocks": 0, "live_bytes": 0, "live_fds": 0,
        "live_tasks": 0, "recorded": null}}"#
    );
    serde_json::from_str(&json).expect("this is a report")
}

fn broken(verdict: &str) -> Scenario {
    let json = format!(
        r#"{{"verdict": "{verdict}", "unit": "message", "live_blocks": 0, "live_bytes": 0, "live_fds": 0, "live_tasks": 0,
        "notes": ["the reply was wrong"]}}"#
    );
    serde_json::from_str(&json).expect("this is a report")
}

#[track_caller]
fn check(base: Option<&Scenario>, head: Option<&Scenario>, verdict: Verdict) -> ExactRow {
    let row = judge_one("echo", base, head);
    assert_eq!(row.verdict, verdict, "{row:?}");
    row
}

#[test]
fn equal_counts_pass_and_one_block_is_a_change_in_either_direction() {
    let (less, more) = (scenario([59, 59]), scenario([59, 60]));
    assert!(check(Some(&less), Some(&less), Verdict::Pass).changes.is_empty());
    assert_eq!(check(Some(&less), Some(&more), Verdict::Regressed).changes.len(), 1);
    assert_eq!(check(Some(&more), Some(&less), Verdict::Improved).changes.len(), 1);
}

#[test]
fn a_scenario_on_one_side_only_is_neither_green_nor_red() {
    let one = scenario([1, 2]);
    check(None, Some(&one), Verdict::Missing);
    check(Some(&one), None, Verdict::Stale);
}

#[test]
fn a_side_that_breaks_is_the_worse_one() {
    let (fine, wrong) = (scenario([1, 2]), broken("regressed"));
    let row = check(Some(&fine), Some(&wrong), Verdict::Regressed);
    assert_eq!(row.notes, ["head: the reply was wrong"]);
    check(Some(&wrong), Some(&fine), Verdict::Improved);
    check(Some(&wrong), Some(&wrong), Verdict::Failed);
}

#[test]
fn what_cannot_be_trusted_on_either_side_is_not_compared() {
    let fine = scenario([1, 2]);
    check(Some(&fine), Some(&broken("blind")), Verdict::Blind);
    check(Some(&broken("nondeterministic")), Some(&fine), Verdict::Nondeterministic);
}

#[test]
fn a_leak_is_named_and_the_end_of_one_is_an_improvement() {
    let fine = scenario([1, 2]);
    let leaking: Scenario = serde_json::from_str(LEAK).expect("this is a report");
    let row = check(Some(&fine), Some(&leaking), Verdict::Leaked);
    assert_eq!(
        row.notes,
        ["head: left alive: 1 blocks, 8 bytes of server/src/echo.rs:1: server::echo"]
    );
    check(Some(&leaking), Some(&fine), Verdict::Improved);
}
