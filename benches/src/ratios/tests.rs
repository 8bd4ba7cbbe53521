use std::time::SystemTime;

use baselines::Verdict::{self, *};

use super::*;
use crate::criterion_data::Measurement;

fn measurements(of: &[(&str, f64)]) -> Measurements {
    let taken = SystemTime::UNIX_EPOCH;
    of.iter().map(|&(id, median_ns)| (id.to_owned(), Measurement { median_ns, taken })).collect()
}

fn recorded(of: &[(&str, f64)]) -> Ratios {
    let ratio = |ratio| Ratio { ratio, tolerance: 0.5, why: "a first run".to_owned() };
    of.iter().map(|&(id, number)| (id.to_owned(), ratio(number))).collect()
}

#[track_caller]
fn check(
    before: &[(&str, f64)],
    measured: &[(&str, f64)],
    verdicts: &[(&str, Verdict)],
) -> Vec<Judgement> {
    let judgements = judge(&recorded(before), &measurements(measured), &Filter::default());
    let got: Vec<_> =
        judgements.iter().map(|judged| (judged.id.as_str(), judged.verdict)).collect();
    assert_eq!(got, verdicts);
    judgements
}

#[test]
fn a_benchmark_is_divided_by_the_tcp_member_of_its_group_and_parameter() {
    let judgements = check(
        &[("g/text/64B", 2.0)],
        &[("g/text/64B", 30.0), ("g/tcp/64B", 15.0), ("g/tcp/1KiB", 1.0), ("h/tcp/64B", 1.0)],
        &[("g/text/64B", Pass)],
    );
    assert_eq!(judgements[0].measured, Some(Pair { median_ns: 30.0, floor_ns: 15.0 }));
}

#[test]
fn the_shape_behind_the_kind_belongs_to_the_floor_too() {
    check(
        &[("g/text_64b_x16/c1", 2.0), ("g/text_64b_x1/c1", 3.0)],
        &[
            ("g/text_64b_x1/c1", 30.0),
            ("g/text_64b_x16/c1", 200.0),
            ("g/tcp_64b_x1/c1", 10.0),
            ("g/tcp_64b_x16/c1", 100.0),
        ],
        &[("g/text_64b_x1/c1", Pass), ("g/text_64b_x16/c1", Pass)],
    );
}

#[test]
fn a_copy_in_memory_is_a_floor_where_there_is_no_socket() {
    check(
        &[("codec/decode/125B", 5.0)],
        &[("codec/decode/125B", 5.0), ("codec/memcpy/125B", 1.0)],
        &[("codec/decode/125B", Pass)],
    );
}

#[test]
fn an_id_on_one_side_only_is_never_green() {
    let judgements = check(
        &[("g/gone/1", 1.0)],
        &[("g/text/1", 1.0), ("g/tcp/1", 1.0)],
        &[("g/gone/1", Stale), ("g/text/1", Missing)],
    );
    assert_eq!(exit_code(&judgements), 5);
    let floors_only = check(&[("g/text/1", 1.0)], &[("g/tcp/1", 1.0)], &[("g/text/1", Stale)]);
    assert_eq!(exit_code(&floors_only), 5);
    assert_eq!(exit_code(&[]), 5);
}

#[test]
fn a_benchmark_without_a_floor_is_not_comparable() {
    let judgements = check(
        &[("g/text/64B", 2.0)],
        &[("g/text/64B", 30.0), ("g/tcp/1KiB", 15.0), ("two/segments", 1.0)],
        &[("g/text/64B", NotComparable), ("two/segments", NotComparable)],
    );
    let refusals: Vec<_> = judgements.iter().filter_map(|judged| judged.refused.clone()).collect();
    assert_eq!(refusals, [Refusal::NoFloor, Refusal::NotAnId]);
}

#[test]
fn a_floor_of_another_run_is_no_floor() {
    let refused = |apart| {
        let mut measured = measurements(&[("g/text/1", 1.0), ("g/tcp/1", 1.0)]);
        measured.get_mut("g/tcp/1").expect("it was just put there").taken += apart;
        judge(&Ratios::new(), &measured, &Filter::default())[0].refused.clone()
    };
    assert_eq!(refused(SAME_RUN), None);
    assert_eq!(refused(SAME_RUN + Duration::from_secs(1)), Some(Refusal::AnotherRun));
}

#[test]
fn a_filter_limits_both_sides() {
    let filter = Filter(vec!["text".to_owned()]);
    let judgements = judge(
        &recorded(&[("g/text/1", 1.0), ("g/binary/1", 1.0)]),
        &measurements(&[("g/text/1", 1.0), ("g/tcp/1", 1.0)]),
        &filter,
    );
    assert_eq!(judgements.len(), 1);
    assert_eq!(judgements[0].verdict, Pass);
}

#[test]
fn recording_replaces_what_ran_and_keeps_what_did_not() {
    let before = recorded(&[("g/gone/1", 1.0), ("g/slower/1", 1.0), ("g/faster/1", 9.0)]);
    let measured = measurements(&[
        ("g/slower/1", 4.0),
        ("g/faster/1", 4.0),
        ("g/new/1", 2.0004),
        ("g/tcp/1", 1.0),
    ]);
    let judgements = judge(&before, &measured, &Filter::default());
    let kept = update(&before, &judgements, None, "why", false);
    assert_eq!(kept.loosened, [("g/slower/1".to_owned(), 1.0, 4.0)]);
    assert_eq!(kept.kept, BTreeSet::from(["g/gone/1".to_owned()]));
    assert_eq!(kept.ratios["g/gone/1"], before["g/gone/1"]);
    let new = Ratio { ratio: 2.0, tolerance: DEFAULT_TOLERANCE, why: "why".to_owned() };
    assert_eq!(kept.ratios["g/new/1"], new);

    let pruned = update(&before, &judgements, Some(0.25), "why", true);
    assert_eq!(pruned.pruned, BTreeSet::from(["g/gone/1".to_owned()]));
    assert!(!pruned.ratios.contains_key("g/gone/1"));
    assert_eq!(pruned.ratios["g/faster/1"].tolerance, 0.25);
}

#[test]
fn the_table_fits_eighty_columns() {
    let longest = "echo_throughput/binary_16kib_x16/c100";
    let judgements = check(
        &[(longest, 123.4), ("connect/handshake/plain", 1.0)],
        &[
            (longest, 987.6e6),
            ("echo_throughput/tcp_16kib_x16/c100", 8.0e6),
            ("codec/decode/1KiB", 1.0),
        ],
        &[
            ("codec/decode/1KiB", NotComparable),
            ("connect/handshake/plain", Stale),
            (longest, Pass),
        ],
    );
    let table = render(&judgements, Format::Table);
    for line in table.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(
        table.contains(" binary_16kib_x16/c100  988 ms  8.00 ms    123       123  ×÷1.50  pass"),
        "{table}"
    );
    assert!(table.ends_with("1 pass, 1 stale, 1 not comparable\n"), "{table}");
}
