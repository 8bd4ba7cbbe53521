use std::collections::BTreeSet;

use baselines::Verdict::{self, *};
use baselines::ratios::{Ratio, Recorded};

use super::*;
use crate::pairs::{Pair, Pairs};
use crate::rounds::ROUNDS;

const MACHINE: &str = "a processor";

/// Equal rounds, with these ratios to a floor of 15 µs.
fn rounds(of: &[(&str, f64)]) -> Vec<Pairs> {
    let pair = |ratio| Pair { median_ns: 15_000.0 * ratio, floor_ns: 15_000.0, ratio };
    vec![of.iter().map(|&(id, ratio)| (id.to_owned(), pair(ratio))).collect(); ROUNDS]
}

fn recorded(of: &[(&str, f64)]) -> Recorded {
    let ratio = |ratio| Ratio { ratio, tolerance: Some(0.05), why: "a first run".to_owned() };
    let ratios = of.iter().map(|&(id, number)| (id.to_owned(), ratio(number))).collect();
    Recorded { machine: MACHINE.to_owned(), ratios }
}

fn judged(before: &Recorded, rounds: &[Pairs]) -> Vec<RatioRow> {
    judge(before, MACHINE, rounds, &Filter::default()).expect("the rounds are whole")
}

#[track_caller]
fn check(rows: &[RatioRow], verdicts: &[(&str, Option<Verdict>)]) {
    let got: Vec<_> = rows.iter().map(|row| (row.id.as_str(), row.verdict)).collect();
    assert_eq!(got, verdicts);
}

#[test]
fn rounds_give_their_middle_and_an_interval() {
    let mut rounds = rounds(&[("g/text/64B", 2.0)]);
    for (round, off) in rounds.iter_mut().zip([0.97, 0.98, 0.99, 1.0, 1.0, 1.01, 1.02, 1.03]) {
        round.values_mut().for_each(|pair| pair.ratio *= off);
    }
    let found = judged(&recorded(&[("g/text/64B", 2.0)]), &rounds)[0].measured;
    let estimate = found.expect("it was measured").estimate;
    assert!((estimate.ratio - 2.0).abs() < 0.001, "{estimate:?}");
    assert!((1.93..1.96).contains(&estimate.low), "{estimate:?}");
    assert!((2.04..2.07).contains(&estimate.high), "{estimate:?}");
}

#[test]
fn too_few_rounds_for_an_interval_are_too_noisy() {
    let rounds = rounds(&[("g/text/64B", 2.0)]);
    let rows = judged(&recorded(&[("g/text/64B", 2.0)]), &rounds[1..]);
    check(&rows, &[("g/text/64B", Some(TooNoisy))]);
}

#[test]
fn a_benchmark_on_one_side_only_never_passes() {
    let rows = judged(&recorded(&[("g/gone/1", 1.0)]), &rounds(&[("g/text/1", 1.0)]));
    check(&rows, &[("g/gone/1", Some(Stale)), ("g/text/1", Some(Missing))]);
    assert_eq!(exit_code(&rows), 5);
    assert_eq!(exit_code(&[]), 5);
}

#[test]
fn rows_without_a_verdict_are_no_pass() {
    let mut recorded = recorded(&[("g/text/1", 1.0)]);
    recorded.ratios.values_mut().for_each(|ratio| ratio.tolerance = None);
    let rows = judged(&recorded, &rounds(&[("g/text/1", 9.0)]));
    check(&rows, &[("g/text/1", None)]);
    assert_eq!(exit_code(&rows), 5);
}

#[test]
fn ratios_of_another_machine_are_not_comparable() {
    let recorded = recorded(&[("g/text/1", 1.0), ("g/gone/1", 1.0)]);
    let rounds = rounds(&[("g/text/1", 1.0), ("g/new/1", 1.0)]);
    let rows = judge(&recorded, "another one", &rounds, &Filter::default());
    let rows = rows.expect("the rounds are whole");
    let expected =
        [("g/gone/1", Some(Stale)), ("g/new/1", Some(Missing)), ("g/text/1", Some(NotComparable))];
    check(&rows, &expected);
}

#[test]
fn a_round_that_lacks_a_benchmark_is_refused() {
    let mut rounds = rounds(&[("g/text/1", 1.0)]);
    rounds[3].clear();
    let refused = judge(&recorded(&[]), MACHINE, &rounds, &Filter::default());
    let why = refused.expect_err("a round is not whole").to_string();
    assert_eq!(why, "g/text/1 was measured in 7 of 8 rounds; measure again");
}

#[test]
fn a_filter_limits_both_sides_and_is_a_pattern_for_criterion() {
    let filter = Filter(vec!["text".to_owned(), "c1.0".to_owned()]);
    let before = recorded(&[("g/text/1", 1.0), ("g/binary/1", 1.0)]);
    let rounds = rounds(&[("g/text/1", 1.0), ("h/binary/1", 1.0)]);
    let rows = judge(&before, MACHINE, &rounds, &filter).expect("the rounds are whole");
    check(&rows, &[("g/text/1", Some(Pass))]);
    assert_eq!(filter.pattern().as_deref(), Some("text|c1\\.0"));
    assert_eq!(Filter::default().pattern(), None);
}

#[test]
fn recording_replaces_measured_ratios_and_keeps_the_others() {
    let before = recorded(&[("g/gone/1", 1.0), ("g/slower/1", 1.0), ("g/faster/1", 9.0)]);
    let rows = judged(
        &before,
        &rounds(&[("g/slower/1", 4.0), ("g/faster/1", 4.0), ("g/new/1", 2.000_04)]),
    );
    let record = |tolerance, prune| update(&before, MACHINE, &rows, tolerance, "why", prune);
    let kept = record(None, false).expect("it is one machine");
    assert_eq!(kept.loosened, [("g/slower/1".to_owned(), 1.0, 4.0)]);
    assert_eq!(kept.kept, BTreeSet::from(["g/gone/1".to_owned()]));
    let ratios = &kept.recorded.ratios;
    assert_eq!(ratios["g/gone/1"], before.ratios["g/gone/1"]);
    let new = Ratio { ratio: 2.0, tolerance: None, why: "why".to_owned() };
    assert_eq!(ratios["g/new/1"], new);

    let pruned = record(Some(0.25), true).expect("it is one machine");
    assert_eq!(pruned.pruned, BTreeSet::from(["g/gone/1".to_owned()]));
    assert!(!pruned.recorded.ratios.contains_key("g/gone/1"));
    assert_eq!(pruned.recorded.ratios["g/faster/1"].tolerance, Some(0.25));
}

#[test]
fn ratios_of_two_machines_never_stand_in_one_file() {
    let before = recorded(&[("g/gone/1", 1.0), ("g/text/1", 1.0)]);
    let rounds = rounds(&[("g/text/1", 2.0)]);
    let rows = judge(&before, "another one", &rounds, &Filter::default());
    let rows = rows.expect("the rounds are whole");
    let record = |prune| update(&before, "another one", &rows, None, "why", prune);
    let why = record(false).expect_err("one ratio stays").to_string();
    assert!(why.starts_with("not recorded: 1 other ratios are of \"a processor\""), "{why}");
    let recorded = record(true).expect("all others go").recorded;
    assert_eq!(recorded.machine, "another one");
    assert_eq!(recorded.ratios.len(), 1);
}

/// A row of each kind, with the longest id that a target has.
fn every_kind() -> Vec<RatioRow> {
    let longest = "echo_throughput/binary_16kib_x16/c100";
    let mut before = recorded(&[
        (longest, 123.4),
        ("codec/decode/1KiB", 2.0),
        ("connect/handshake/plain", 1.0),
        ("echo_latency/binary/64B", 9.0),
        ("echo_latency/text/64B", 0.5),
    ]);
    before.ratios.get_mut("codec/decode/1KiB").expect("it is recorded").tolerance = None;
    judged(
        &before,
        &rounds(&[
            (longest, 123.4),
            ("codec/decode/1KiB", 2.5),
            ("echo_latency/binary/64B", 2.0),
            ("echo_latency/text/1KiB", 1.066),
            ("echo_latency/text/64B", 1.066),
        ]),
    )
}

#[test]
fn the_table_has_a_line_for_each_group_and_fits_eighty_columns() {
    let table = render(&every_kind(), Format::Table);
    for line in table.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    insta::assert_snapshot!(table);
}

#[test]
fn markdown_has_the_full_id_in_each_row() {
    insta::assert_snapshot!(render(&every_kind(), Format::Markdown));
}

#[test]
fn json_has_exact_numbers_by_id() {
    insta::assert_snapshot!(render(&every_kind(), Format::Json));
}
