use super::{Metric::*, Verdict::*, *};

fn base() -> Counts {
    Counts {
        ops: [1000, 2000],
        blocks: [4012, 8012],
        bytes: [400, 800],
        reads: Some([1001, 2001]),
        writes: Some([1001, 2001]),
        peak_bytes: [64, 64],
        once_blocks: [3, 3],
        once_bytes: [48, 48],
        calls: Some([38, 38]),
        held_fds: Some([4, 8]),
        held_bytes: Some([32, 64]),
    }
}

fn with(edit: impl FnOnce(&mut Counts)) -> Counts {
    let mut counts = base();
    edit(&mut counts);
    counts
}

fn counted(counts: Counts) -> Measurement {
    Measurement::Counted { counts, live: Live::default(), wavers: false }
}

/// The verdict, and the metrics listed as changed.
#[track_caller]
fn check(
    recorded: Option<&Counts>,
    measured: Option<Measurement>,
    limit: Option<[u64; 2]>,
    verdict: Verdict,
    changed: &[Metric],
) {
    let judgement = judge(recorded, measured.as_ref(), limit.map(Limit), &[]);
    assert_eq!(judgement.verdict, verdict);
    assert_eq!(judgement.changes.iter().map(|change| change.metric).collect::<Vec<_>>(), changed);
}

type Totals = fn(&mut Counts) -> &mut [u64; 2];

/// Every metric, with its place in the counts.
const METRICS: [(Metric, Totals); Metric::ALL.len()] = [
    (Blocks, |c| &mut c.blocks),
    (Bytes, |c| &mut c.bytes),
    (Reads, |c| c.reads.as_mut().unwrap()),
    (Writes, |c| c.writes.as_mut().unwrap()),
    (PeakBytes, |c| &mut c.peak_bytes),
    (OnceBlocks, |c| &mut c.once_blocks),
    (OnceBytes, |c| &mut c.once_bytes),
    (Calls, |c| c.calls.as_mut().unwrap()),
    (HeldFds, |c| c.held_fds.as_mut().unwrap()),
    (HeldBytes, |c| c.held_bytes.as_mut().unwrap()),
];

#[test]
fn equal_counts_pass() {
    check(Some(&base()), Some(counted(base())), None, Pass, &[]);
}

#[test]
fn every_metric_is_exact_both_ways_at_both_sizes() {
    for (metric, totals) in METRICS {
        for size in [0, 1] {
            check(
                Some(&base()),
                Some(counted(with(|c| totals(c)[size] += 1))),
                None,
                Regressed,
                &[metric],
            );
            check(
                Some(&base()),
                Some(counted(with(|c| totals(c)[size] -= 1))),
                None,
                Improved,
                &[metric],
            );
        }
    }
}

#[test]
fn a_trade_is_a_regression() {
    let between_sizes = with(|c| c.blocks = [4011, 8013]);
    check(Some(&base()), Some(counted(between_sizes)), None, Regressed, &[Blocks]);
    let between_metrics = with(|c| (c.blocks[0], c.writes) = (1, Some([1001, 2002])));
    check(Some(&base()), Some(counted(between_metrics)), None, Regressed, &[Blocks, Writes]);
}

#[test]
fn an_id_on_one_side_is_never_a_pass() {
    check(None, Some(counted(base())), None, Missing, &[]);
    check(Some(&base()), None, None, Stale, &[]);
    check(None, None, None, Missing, &[]);
    check(None, None, Some([u64::MAX; 2]), Missing, &[]);
}

#[test]
fn a_run_without_counts_has_the_verdict_of_its_cause() {
    for recorded in [None, Some(&base())] {
        for limit in [None, Some([u64::MAX; 2])] {
            check(recorded, Some(Measurement::Blind), limit, Blind, &[]);
            check(recorded, Some(Measurement::Failed), limit, Failed, &[]);
        }
    }
}

#[test]
fn anything_left_alive_is_leaked_with_or_without_a_baseline_or_a_limit() {
    let zero = Live::default();
    for live in [
        Live { blocks: 1, ..zero },
        Live { bytes: 1, ..zero },
        Live { fds: 1, ..zero },
        Live { tasks: 1, ..zero },
        Live { mapped: 1, ..zero },
    ] {
        let leaky = |counts| Some(Measurement::Counted { counts, live, wavers: true });
        check(Some(&base()), leaky(base()), None, Leaked, &[]);
        check(Some(&base()), leaky(with(|c| c.blocks[0] += 1)), None, Leaked, &[Blocks]);
        check(Some(&base()), leaky(with(|c| c.ops = [1, 2])), None, Leaked, &[]);
        check(None, leaky(base()), None, Leaked, &[]);
        check(None, leaky(base()), Some([u64::MAX; 2]), Leaked, &[]);
    }
}

#[test]
fn other_operations_or_metrics_are_not_comparable() {
    for limit in [None, Some([u64::MAX; 2])] {
        check(
            Some(&base()),
            Some(counted(with(|c| c.ops = [1000, 3000]))),
            limit,
            NotComparable,
            &[],
        );
        check(
            Some(&base()),
            Some(counted(with(|c| c.held_bytes = None))),
            limit,
            NotComparable,
            &[],
        );
        check(
            Some(&with(|c| c.held_bytes = None)),
            Some(counted(base())),
            limit,
            NotComparable,
            &[],
        );
    }
}

#[test]
fn a_count_that_was_not_recorded_is_not_comparable() {
    for lacking in [with(|c| c.calls = None), with(|c| c.held_fds = None)] {
        check(Some(&lacking), Some(counted(base())), None, NotComparable, &[]);
    }
    check(Some(&base()), Some(counted(with(|c| c.held_fds = None))), None, NotComparable, &[]);
}

#[test]
fn calls_that_this_machine_does_not_measure_are_not_compared() {
    check(Some(&base()), Some(counted(with(|c| c.calls = None))), None, Pass, &[]);
}

#[test]
fn a_limit_replaces_equality_of_blocks_at_both_sizes() {
    let grown = with(|c| c.blocks = [5000, 9000]);
    let check = |most, verdict| {
        check(Some(&base()), Some(counted(grown.clone())), Some(most), verdict, &[Blocks])
    };
    check([5000, 9000], Pass);
    check([4999, 9000], Regressed);
    check([5000, 8999], Regressed);
}

#[test]
fn a_limit_leaves_everything_but_blocks_exact() {
    for (metric, totals) in METRICS.into_iter().filter(|(metric, _)| *metric != Blocks) {
        let more = with(|c| totals(c)[1] += 1);
        check(Some(&base()), Some(counted(more)), Some([u64::MAX; 2]), Regressed, &[metric]);
        let fewer = with(|c| totals(c)[0] -= 1);
        check(Some(&base()), Some(counted(fewer)), Some([u64::MAX; 2]), Improved, &[metric]);
    }
}

#[test]
fn a_limit_is_no_baseline() {
    check(None, Some(counted(base())), Some([u64::MAX; 2]), Missing, &[]);
    check(None, Some(counted(base())), Some([4012, 8011]), Regressed, &[]);
}

#[test]
fn a_change_knows_its_cost_per_operation() {
    let delta = |measured| {
        Change { metric: Blocks, recorded: [4012, 8012], measured }.per_op_delta([1000, 2000])
    };
    assert_eq!(delta([5012, 10_012]), Some(1.0));
    assert_eq!(delta([4020, 8020]), Some(0.0));
    assert_eq!(delta([4012, 7512]), Some(-0.5));
    assert_eq!(
        Change { metric: Blocks, recorded: [1, 1], measured: [2, 2] }.per_op_delta([5, 5]),
        None
    );
}

#[test]
fn provenance_that_differs_is_named_part_by_part() {
    let of = |rustc: &str, packages: &[(&str, &str)]| Provenance {
        rustc: rustc.to_owned(),
        profile: "release".to_owned(),
        packages: packages.iter().map(|(name, v)| (name.to_string(), v.to_string())).collect(),
    };
    let recorded = of("1.94.0", &[("bytes", "1.12.1"), ("gone", "1.0.0"), ("tokio", "1.54.0")]);
    let current = of("1.95.0", &[("bytes", "1.12.1"), ("new", "2.0.0"), ("tokio", "1.54.1")]);
    assert_eq!(provenance_differences(&recorded, &recorded), Vec::<String>::new());
    assert_eq!(
        provenance_differences(&recorded, &current),
        ["rustc 1.94.0 → 1.95.0", "gone 1.0.0 → none", "new none → 2.0.0", "tokio 1.54.0 → 1.54.1"]
    );
}

#[test]
fn of_a_package_with_several_versions_only_those_that_differ_are_named() {
    let with = |versions: &str| Provenance {
        rustc: "1.95.0".to_owned(),
        profile: "release".to_owned(),
        packages: [("ws".to_owned(), versions.to_owned())].into(),
    };
    let told = |old, new| provenance_differences(&with(old), &with(new)).join("; ");
    assert_eq!(told("0.24.0, 0.30.0", "0.25.0, 0.30.0"), "ws 0.24.0 → 0.25.0");
    assert_eq!(told("1.0.69, 2.0.21", "2.0.21"), "ws 1.0.69 → none");
}

#[test]
fn a_doubt_hides_no_regression_of_the_repeat_that_cost_least() {
    let wavering =
        |counts| Some(Measurement::Counted { counts, live: Live::default(), wavers: true });
    for counts in [base(), with(|c| c.blocks[0] -= 1)] {
        check(Some(&base()), wavering(counts), None, Nondeterministic, &[]);
    }
    check(None, wavering(base()), None, Nondeterministic, &[]);
    check(Some(&base()), wavering(with(|c| c.blocks[0] += 1)), None, Regressed, &[Blocks]);
}

#[test]
fn a_slack_tolerates_as_much_both_ways_in_its_metric_alone() {
    let slack = [Slack { metric: Blocks, amount: 2, reason: "a pool".to_owned() }];
    let verdict = |edit: fn(&mut Counts)| {
        judge(Some(&base()), Some(&counted(with(edit))), None, &slack).verdict
    };
    assert_eq!(verdict(|c| c.blocks[1] += 2), Pass);
    assert_eq!(verdict(|c| c.blocks[1] -= 2), Pass);
    assert_eq!(verdict(|c| c.blocks[1] += 3), Regressed);
    assert_eq!(verdict(|c| c.blocks[1] -= 3), Improved);
    assert_eq!(verdict(|c| c.bytes[1] += 1), Regressed);
}
