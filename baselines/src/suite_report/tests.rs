use crate::sites::SiteCost;

use super::*;

fn counts(held_bytes: Option<[u64; 2]>) -> Counts {
    Counts {
        ops: [1000, 2000],
        blocks: [59, 1059],
        bytes: [10, 20],
        reads: Some([1, 2]),
        writes: Some([3, 4]),
        peak_bytes: [5, 6],
        once_blocks: [1, 1],
        once_bytes: [9, 9],
        calls: Some([7, 7]),
        held_fds: held_bytes,
        held_bytes,
    }
}

fn report() -> SuiteReport {
    let regressed = ScenarioReport {
        measured: Some(counts(Some([7, 8]))),
        verdict: Verdict::Regressed,
        unit: "message".to_owned(),
        recorded: Some(counts(None)),
        live: Live { blocks: 1, bytes: 64, fds: 0, tasks: 0, mapped: 4096 },
        sites_changed: vec![SiteChange {
            key: "server::echo::take".to_owned(),
            place: Some("server/src/echo.rs:134".to_owned()),
            recorded: None,
            measured: Some(SiteCost { blocks: [0, 1000], bytes: [0, 64] }),
        }],
        leaks: vec![Leak {
            key: "server::echo::take".to_owned(),
            place: "server/src/echo.rs:134".to_owned(),
            blocks: 1,
            bytes: 64,
        }],
        notes: vec!["a note".to_owned()],
        wavering: vec!["blocks at 1000: 1 in run 1, 2 in run 2".to_owned()],
        slack: vec![Slack {
            metric: Metric::PeakBytes,
            amount: 64,
            reason: "the pool is filled in another order".to_owned(),
        }],
    };
    let failed = ScenarioReport {
        measured: None,
        verdict: Verdict::NotComparable,
        unit: "connection".to_owned(),
        recorded: None,
        live: Live::default(),
        sites_changed: Vec::new(),
        leaks: Vec::new(),
        notes: Vec::new(),
        wavering: Vec::new(),
        slack: Vec::new(),
    };
    SuiteReport {
        schema: SCHEMA,
        target: "x86_64-unknown-linux-gnu".to_owned(),
        rustc: "1.95.0".to_owned(),
        profile: "release".to_owned(),
        packages: BTreeMap::from([("bytes".to_owned(), "1.12.1".to_owned())]),
        provenance_differs: vec!["bytes 1.12.0 → 1.12.1".to_owned()],
        exit_code: 3,
        scenarios: BTreeMap::from([("echo".to_owned(), regressed), ("hold".to_owned(), failed)]),
    }
}

/// The report with one part of its text replaced is refused for a reason that contains `reason`.
#[track_caller]
fn check_refused(part: &str, replacement: &str, reason: &str) {
    let text = report().render();
    assert!(text.contains(part), "{part} is not in {text}");
    let error = SuiteReport::parse(&text.replacen(part, replacement, 1)).unwrap_err().to_string();
    assert!(error.contains(reason), "{error}");
    assert!(error.ends_with("built from the same revision as the runner"), "{error}");
}

#[test]
fn a_report_is_read_back_as_it_was_written() {
    assert_eq!(SuiteReport::parse(&report().render()).unwrap(), report());
}

#[test]
fn the_keys_of_the_report_do_not_change() {
    insta::assert_snapshot!(report().render());
}

#[test]
fn a_report_of_another_schema_or_none_is_refused() {
    check_refused("\"schema\": 4", "\"schema\": 3", "schema 3, this reads 4");
    check_refused("  \"schema\": 4,\n", "", "missing field `schema`");
}

#[test]
fn a_renamed_key_is_refused_and_never_read_as_empty() {
    check_refused("\"sites_changed\"", "\"sites\"", "unknown field `sites`");
    check_refused("\"leaks\"", "\"leaked\"", "unknown field `leaked`");
    check_refused("\"recorded\"", "\"baseline\"", "unknown field `baseline`");
    check_refused("\"blocks\"", "\"block\"", "unknown field `block`");
    check_refused("\"live_fds\"", "\"live_files\"", "unknown field `live_files`");
    check_refused("\"key\"", "\"site\"", "unknown field `site`");
}

#[test]
fn a_missing_key_is_refused_and_never_read_as_empty() {
    check_refused("\"ops\": [\n        1000,\n        2000\n      ],", "", "missing field `ops`");
    check_refused("\"live_tasks\": 0,", "", "missing field `live_tasks`");
    check_refused("\"recorded\": null,", "", "missing field `recorded`");
    check_refused("\"place\": \"server/src/echo.rs:134\",", "", "missing field `place`");
}

#[test]
fn an_unknown_verdict_is_refused() {
    check_refused("\"regressed\"", "\"worse\"", "unknown variant `worse`, expected one of `pass`");
}
