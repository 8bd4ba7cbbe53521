use super::*;

fn profile<const N: usize>(own: [(&str, &str, u64); N]) -> Profile {
    let place = |function: &str, file: &str| Place {
        function: function.to_owned(),
        file: Some(file.to_owned()),
        is_own: false,
    };
    own.into_iter().map(|(function, file, own)| (place(function, file), own)).collect()
}

fn scenario(on: [bool; 2]) -> Scenario {
    Scenario::new("echo_text_64b_1000_msgs", &listed(1000, Threads::All), on)
}

fn listed(ops: u64, threads: Threads) -> Listed {
    Listed { ops, unit: "message".to_owned(), threads }
}

#[test]
fn a_thousand_operations_or_more_are_reduced_to_a_tenth_and_in_turns_to_a_half() {
    let ops = |own, threads| Scenario::new("echo", &listed(own, threads), [true; 2]).ops;
    assert_eq!(ops(1600, Threads::All), 160);
    assert_eq!(ops(1000, Threads::AllButTheClient), 500);
    assert_eq!([Threads::All, Threads::AllButTheClient].map(|threads| ops(100, threads)), [100; 2]);
}

#[test]
fn a_side_that_has_the_scenario_runs_it_at_n_and_2n() {
    let jobs = |on| scenario(on).jobs().map(|job| (job.runner, job.ops)).collect::<Vec<_>>();
    let [base, head] = Runner::BOTH;
    assert_eq!(jobs([true; 2]), [(base, 100), (base, 200), (head, 100), (head, 200)]);
    assert_eq!(jobs([false, true]), [(head, 100), (head, 200)]);
}

#[test]
fn a_change_counts_beyond_half_a_percent_and_eight_instructions() {
    let check = |base, head, verdict| assert_eq!(judge(base, head), verdict, "{base:?} {head:?}");
    check(Some(1000.0), Some(1008.0), Verdict::Pass);
    check(Some(1000.0), Some(1008.1), Verdict::Regressed);
    check(Some(1000.0), Some(991.9), Verdict::Improved);
    check(Some(10_000.0), Some(10_050.0), Verdict::Pass);
    check(Some(10_000.0), Some(10_051.0), Verdict::Regressed);
    check(Some(10_000.0), Some(9_949.0), Verdict::Improved);
    check(None, Some(1.0), Verdict::Missing);
    check(Some(1.0), None, Verdict::Stale);
}

#[test]
fn the_cost_of_an_operation_excludes_the_fixed_cost() {
    let growth = growth([
        profile([("main", "main.rs", 7000), ("echo", "echo.rs", 5000)]),
        profile([("main", "main.rs", 7000), ("echo", "echo.rs", 6000)]),
    ]);
    let row = scenario([true; 2]).row(Some(&growth), Some(&growth));
    assert_eq!((row.base, row.head), (Some(10.0), Some(10.0)));
    assert_eq!(row.verdict, Verdict::Pass);
}

#[test]
fn functions_are_listed_by_size_of_change() {
    let base = growth([
        Profile::new(),
        profile([("gone", "a.rs", 300), ("same", "b.rs", 900), ("poll", "c.rs", 100)]),
    ]);
    let head = growth([
        Profile::new(),
        profile([
            ("same", "b.rs", 949),
            ("poll", "c.rs", 150),
            ("poll", "inlined.rs", 2000),
            ("new", "d.rs", 700),
        ]),
    ]);
    let row = scenario([true; 2]).row(Some(&base), Some(&head));
    let functions: Vec<_> = row
        .functions
        .iter()
        .map(|row| (row.name.as_str(), row.file.as_deref().unwrap_or(""), row.base, row.head))
        .collect();
    assert_eq!(
        functions,
        [
            ("poll", "inlined.rs", 0.0, 20.0),
            ("new", "d.rs", 0.0, 7.0),
            ("gone", "a.rs", 3.0, 0.0),
            ("poll", "c.rs", 1.0, 1.5),
        ]
    );
    assert_eq!(row.verdict, Verdict::Regressed);
}

#[test]
fn a_scenario_that_passes_lists_no_functions() {
    let [base, head] =
        [100_000, 100_100].map(|own| growth([Profile::new(), profile([("echo", "echo.rs", own)])]));
    let row = scenario([true; 2]).row(Some(&base), Some(&head));
    assert_eq!((row.verdict, row.functions.len()), (Verdict::Pass, 0));
}

#[test]
fn a_scenario_that_ran_no_operations_failed() {
    let ran = growth([Profile::new(), profile([("echo", "echo.rs", 100_000)])]);
    let idle = growth([profile([("main", "main.rs", 7000)]), profile([("main", "main.rs", 7010)])]);
    let verdict = |base, head| scenario([true; 2]).row(Some(base), Some(head)).verdict;
    assert_eq!(verdict(&ran, &idle), Verdict::Regressed);
    assert_eq!(verdict(&idle, &ran), Verdict::Improved);
    assert_eq!(verdict(&idle, &idle), Verdict::Failed);
}

#[test]
fn a_scenario_on_one_side_has_the_cost_of_that_side() {
    let growth = growth([Profile::new(), profile([("echo", "echo.rs", 1000)])]);
    let row = scenario([false, true]).row(None, Some(&growth));
    assert_eq!((row.base, row.head), (None, Some(10.0)));
    assert_eq!((row.verdict, row.functions.len()), (Verdict::Missing, 0));
}
