use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use baselines::Verdict::{self, *};
use baselines::ratios::{Ratio, Ratios};

use super::judge::SAME_RUN;
use super::*;
use crate::criterion_data::{Measurement, Measurements};

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
) -> Vec<RatioRow> {
    let rows = judge(&recorded(before), &measurements(measured), &Filter::default());
    let got: Vec<_> = rows.iter().map(|row| (row.id.as_str(), row.verdict)).collect();
    assert_eq!(got, verdicts);
    rows
}

#[test]
fn a_benchmark_is_divided_by_the_tcp_benchmark_of_its_group_and_parameter() {
    let rows = check(
        &[("g/text/64B", 2.0)],
        &[("g/text/64B", 30.0), ("g/tcp/64B", 15.0), ("g/tcp/1KiB", 1.0), ("h/tcp/64B", 1.0)],
        &[("g/text/64B", Pass)],
    );
    assert_eq!(rows[0].measured, Some(Pair { median_ns: 30.0, floor_ns: 15.0 }));
}

#[test]
fn a_floor_has_the_shape_of_its_benchmark() {
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
fn a_copy_in_memory_is_the_floor_without_a_socket() {
    check(
        &[("codec/decode/125B", 5.0)],
        &[("codec/decode/125B", 5.0), ("codec/memcpy/125B", 1.0)],
        &[("codec/decode/125B", Pass)],
    );
}

#[test]
fn a_benchmark_on_one_side_only_never_passes() {
    let rows = check(
        &[("g/gone/1", 1.0)],
        &[("g/text/1", 1.0), ("g/tcp/1", 1.0)],
        &[("g/gone/1", Stale), ("g/text/1", Missing)],
    );
    assert_eq!(exit_code(&rows), 5);
    let floors_only = check(&[("g/text/1", 1.0)], &[("g/tcp/1", 1.0)], &[("g/text/1", Stale)]);
    assert_eq!(exit_code(&floors_only), 5);
    assert_eq!(exit_code(&[]), 5);
}

#[test]
fn a_benchmark_without_a_floor_is_not_comparable() {
    let rows = check(
        &[("g/text/64B", 2.0)],
        &[("g/text/64B", 30.0), ("g/tcp/1KiB", 15.0), ("two/segments", 1.0)],
        &[("g/text/64B", NotComparable), ("two/segments", NotComparable)],
    );
    let refusals: Vec<_> = rows.iter().filter_map(|row| row.refused.clone()).collect();
    assert_eq!(refusals, [Refusal::NoFloor, Refusal::NotAnId]);
}

#[test]
fn a_floor_of_another_run_is_refused() {
    let refused = |apart| {
        let mut measured = measurements(&[("g/text/1", 1.0), ("g/tcp/1", 1.0)]);
        measured.get_mut("g/tcp/1").expect("the floor is in the map").taken += apart;
        judge(&Ratios::new(), &measured, &Filter::default())[0].refused.clone()
    };
    assert_eq!(refused(SAME_RUN), None);
    assert_eq!(refused(SAME_RUN + Duration::from_secs(1)), Some(Refusal::AnotherRun));
}

#[test]
fn a_filter_limits_both_sides() {
    let filter = Filter(vec!["text".to_owned()]);
    let rows = judge(
        &recorded(&[("g/text/1", 1.0), ("g/binary/1", 1.0)]),
        &measurements(&[("g/text/1", 1.0), ("g/tcp/1", 1.0)]),
        &filter,
    );
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].verdict, Pass);
}

#[test]
fn recording_replaces_measured_ratios_and_keeps_the_others() {
    let before = recorded(&[("g/gone/1", 1.0), ("g/slower/1", 1.0), ("g/faster/1", 9.0)]);
    let measured = measurements(&[
        ("g/slower/1", 4.0),
        ("g/faster/1", 4.0),
        ("g/new/1", 2.0004),
        ("g/tcp/1", 1.0),
    ]);
    let rows = judge(&before, &measured, &Filter::default());
    let kept = update(&before, &rows, None, "why", false);
    assert_eq!(kept.loosened, [("g/slower/1".to_owned(), 1.0, 4.0)]);
    assert_eq!(kept.kept, BTreeSet::from(["g/gone/1".to_owned()]));
    assert_eq!(kept.ratios["g/gone/1"], before["g/gone/1"]);
    let new = Ratio { ratio: 2.0, tolerance: DEFAULT_TOLERANCE, why: "why".to_owned() };
    assert_eq!(kept.ratios["g/new/1"], new);

    let pruned = update(&before, &rows, Some(0.25), "why", true);
    assert_eq!(pruned.pruned, BTreeSet::from(["g/gone/1".to_owned()]));
    assert!(!pruned.ratios.contains_key("g/gone/1"));
    assert_eq!(pruned.ratios["g/faster/1"].tolerance, 0.25);
}

/// A row of each kind, with the longest id that a target has.
fn every_kind() -> Vec<RatioRow> {
    let longest = "echo_throughput/binary_16kib_x16/c100";
    check(
        &[
            (longest, 123.4),
            ("connect/handshake/plain", 1.0),
            ("echo_latency/binary/64B", 9.0),
            ("echo_latency/text/64B", 0.5),
        ],
        &[
            (longest, 987.6e6),
            ("echo_throughput/tcp_16kib_x16/c100", 8.0e6),
            ("codec/decode/1KiB", 1.0),
            ("echo_latency/binary/64B", 30_000.0),
            ("echo_latency/tcp/64B", 15_000.0),
            ("echo_latency/text/1KiB", 16_000.0),
            ("echo_latency/tcp/1KiB", 15_000.0),
            ("echo_latency/text/64B", 15_999.0),
            ("two/segments", 1.0),
        ],
        &[
            ("codec/decode/1KiB", NotComparable),
            ("connect/handshake/plain", Stale),
            ("echo_latency/binary/64B", Improved),
            ("echo_latency/text/1KiB", Missing),
            ("echo_latency/text/64B", Regressed),
            (longest, Pass),
            ("two/segments", NotComparable),
        ],
    )
}

#[test]
fn the_table_has_a_line_for_each_group_and_fits_eighty_columns() {
    let table = render(&every_kind(), Format::Table);
    let rows = table.lines().take_while(|line| !line.contains(": "));
    assert!(rows.clone().count() > 7);
    for line in rows {
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
