//! Whole reports as snapshots: a change of one is read in review.

use std::collections::BTreeMap;
use std::path::PathBuf;

use baselines::alloc::Counts;
use baselines::compare::{Live, Measurement, judge};
use baselines::sites::{SiteChange, SiteCost};
use baselines::suite_report::{Leak, SCHEMA, ScenarioReport};
use baselines::verdict::exit_code;

use super::*;
use crate::repeats::CALLS_VARY;
use crate::result::{stale, unmeasured};

fn setup() -> Setup {
    Setup {
        name: "chat-alloc".to_owned(),
        root: PathBuf::new(),
        baselines: PathBuf::new(),
        packages: BTreeMap::new(),
        command: "scripts/alloc.sh".to_owned(),
        is_strict: true,
        package: "chat".to_owned(),
        test: "alloc".to_owned(),
    }
}

fn counts(blocks: [u64; 2]) -> Counts {
    Counts {
        ops: [1000, 2000],
        blocks,
        bytes: blocks.map(|blocks| blocks * 64),
        reads: Some([1002, 2002]),
        writes: Some([64, 127]),
        peak_bytes: [134_173, 134_173],
        calls: Some([38, 38]),
        ..Counts::default()
    }
}

type Named = (&'static str, ScenarioReport);

fn counted(id: &'static str, recorded: Option<Counts>, counts: Counts, live: Live) -> Named {
    let measured = Some(counts.clone());
    let measurement = Measurement::Counted { counts, live, wavers: false };
    let verdict = judge(recorded.as_ref(), Some(&measurement), None, &[]).verdict;
    (id, ScenarioReport { measured, live, verdict, ..unmeasured("message", recorded) })
}

fn uncounted(id: &'static str, verdict: Verdict, notes: &[&str]) -> Named {
    let notes = notes.iter().map(|note| (*note).to_owned()).collect();
    let report = unmeasured("connection", Some(counts([58, 58])));
    (id, ScenarioReport { verdict, notes, ..report })
}

fn gone() -> Named {
    ("gone", stale(&counts([1, 1])))
}

fn site(
    key: &str,
    place: Option<&str>,
    recorded: Option<u64>,
    measured: Option<u64>,
) -> SiteChange {
    let cost = |per_op: u64| SiteCost { blocks: [1000, 2000].map(|n| n * per_op), bytes: [9, 9] };
    SiteChange {
        key: key.to_owned(),
        place: place.map(ToOwned::to_owned),
        recorded: recorded.map(cost),
        measured: measured.map(cost),
    }
}

fn passed() -> Named {
    let mut counts = counts([58, 58]);
    counts.held_bytes = Some([10_240_000, 20_480_000]);
    counted("hold", Some(counts.clone()), counts, Live::default())
}

fn regressed() -> Named {
    let [recorded, measured] = [[58, 58], [1058, 2059]].map(counts);
    let (id, mut report) = counted("echo_text", Some(recorded), measured, Live::default());
    report.sites_changed = vec![
        site("chat::echo::take", Some("chat/src/echo.rs:134"), None, Some(1)),
        site("bytes::Bytes::copy <- chat::echo::send", None, Some(1), None),
        site("main", Some(""), Some(1), Some(2)),
    ];
    (id, report)
}

fn leaked() -> Named {
    let live = Live { blocks: 100, bytes: 6400, fds: 1, tasks: 0, mapped: 0 };
    let (id, mut report) = counted("leave", Some(counts([58, 58])), counts([58, 58]), live);
    report.notes = vec!["left open: fd 9: /dev/null".to_owned()];
    report.leaks = vec![Leak {
        key: "chat::room::join".to_owned(),
        place: "chat/src/room.rs:7".to_owned(),
        blocks: 100,
        bytes: 6400,
    }];
    (id, report)
}

fn improved() -> Named {
    counted("ping", Some(counts([60, 60])), counts([58, 58]), Live::default())
}

fn other_operations() -> Named {
    let measured = Counts { ops: [10, 20], ..counts([58, 58]) };
    counted("echo", Some(counts([58, 58])), measured, Live::default())
}

fn run(setup: &Setup, results: Vec<Named>) -> Run<'_> {
    let text = |text: &str| text.to_owned();
    Run {
        setup,
        report: SuiteReport {
            schema: SCHEMA,
            target: text("x86_64-unknown-linux-gnu"),
            rustc: text("1.95.0"),
            profile: text("release"),
            packages: BTreeMap::from([(text("bytes"), text("1.12.1"))]),
            provenance_differs: vec![text("bytes 1.12.0 → 1.12.1")],
            exit_code: exit_code(results.iter().map(|(_, report)| report.verdict)),
            scenarios: results.into_iter().map(|(id, report)| (text(id), report)).collect(),
        },
        no_baseline: None,
        has_pending: false,
        runs: 10,
        filter: text("echo"),
    }
}

fn all_kinds() -> Vec<Named> {
    vec![
        gone(),
        passed(),
        regressed(),
        leaked(),
        improved(),
        counted("new", None, counts([58, 58]), Live::default()),
        uncounted(
            "reset",
            Verdict::Nondeterministic,
            &["blocks at 1000: 58 in run 1, 59 in run 2"],
        ),
        uncounted("slow", Verdict::Failed, &["slow hung for 120 s and was killed"]),
    ]
}

#[test]
fn a_table_shows_every_kind_of_result() {
    let setup = setup();
    insta::assert_snapshot!(run(&setup, all_kinds()).render(Format::Table).unwrap());
}

#[test]
fn markdown_folds_the_results_that_passed() {
    let setup = setup();
    insta::assert_snapshot!(run(&setup, all_kinds()).render(Format::Markdown).unwrap());
}

#[test]
fn json_holds_counts_sites_and_leaks() {
    let setup = setup();
    let run = run(&setup, vec![regressed(), leaked(), uncounted("slow", Verdict::Failed, &[])]);
    let json = run.render(Format::Json).unwrap();
    assert_eq!(SuiteReport::parse(&json).unwrap().render(), json);
    insta::assert_snapshot!(json);
}

#[test]
fn junit_tells_errors_of_the_machine_from_failures_of_the_code() {
    let setup = setup();
    insta::assert_snapshot!(run(&setup, all_kinds()).render(Format::Junit).unwrap());
}

#[test]
fn a_site_of_many_scenarios_is_printed_once() {
    let setup = setup();
    let shared = |id| (id, regressed().1);
    let results = ["a", "b", "c", "d"].map(shared).into();
    insta::assert_snapshot!(run(&setup, results).render(Format::Table).unwrap());
}

#[test]
fn a_canary_that_blinds_all_scenarios_is_printed_once() {
    let setup = setup();
    let note = "canary \"realloc\" was counted wrong";
    let blind = |id| uncounted(id, Verdict::Blind, &[note]);
    let said = |results| run(&setup, results).render(Format::Table).unwrap();
    let many = said(["a", "b", "c", "d"].map(blind).into());
    assert_eq!(many.matches(note).count(), 1, "{many}");
    assert!(many.contains("in 4 scenarios: canary"), "{many}");
    assert_eq!(said(vec![blind("a"), blind("b")]).matches(note).count(), 2);
}

#[test]
fn the_last_line_is_the_next_step() {
    let setup = setup();
    let missing = || counted("new", None, counts([58, 58]), Live::default());
    let next = |result: Named| {
        let table = run(&setup, vec![result]).render(Format::Table).unwrap();
        table.lines().last().unwrap_or_default().to_owned()
    };
    let mut waiting = run(&setup, vec![improved()]);
    waiting.has_pending = true;
    let waiting = waiting.render(Format::Table).unwrap();
    assert!(waiting.contains("\nrecord it: cargo plimsoll review, or scripts/alloc.sh --update"));
    let steps: BTreeMap<&str, String> = BTreeMap::from([
        ("blind", next(uncounted("echo", Verdict::Blind, &[]))),
        ("failed", next(uncounted("echo", Verdict::Failed, &[]))),
        ("improved", next(improved())),
        ("missing", next(missing())),
        ("not comparable", next(other_operations())),
        ("passed", next(passed())),
        ("regressed", next(regressed())),
        ("stale", next(gone())),
    ]);
    insta::assert_debug_snapshot!(steps);
}

#[test]
fn one_scenario_without_counted_calls_among_others_is_told() {
    let setup = setup();
    let said = |results| run(&setup, results).render(Format::Table).unwrap();
    let note = "not measured: system calls";
    let blind = Counts { calls: None, ..counts([58, 58]) };
    let refused = || counted("reset", Some(counts([58, 58])), blind.clone(), Live::default());
    assert!(!said(vec![passed()]).contains(note));
    assert!(said(vec![passed(), refused()]).contains(note));
    // Where they vary, the scenario says so itself.
    let mut varying = refused();
    varying.1.notes.push(format!("{CALLS_VARY}: write at 1000: 1 in run 1, 2 in run 2"));
    assert!(!said(vec![passed(), varying]).contains("this kernel or container refuses"));
}
