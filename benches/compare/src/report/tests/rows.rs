//! How rows are grouped, and the signs of their numbers.

use super::*;
use crate::model::TimingUnit;

/// The timings of the fixture, changed.
fn changed(change: impl FnOnce(&mut Vec<TimingRow>)) -> Comparison {
    let mut comparison = fixture::comparison();
    let Part::Measured(timing) = &mut comparison.timing else { panic!("it is measured") };
    change(&mut timing.rows);
    comparison
}

#[test]
fn a_rate_that_falls_has_a_minus_and_a_time_that_rises_has_a_plus() {
    let comparison = changed(|rows| {
        rows.truncate(2);
        for (row, unit) in rows.iter_mut().zip([TimingUnit::Rate, TimingUnit::Time]) {
            row.unit = unit;
            (row.base_ns, row.head_ns) = (20_000.0, 25_000.0);
            (row.effect, row.interval, row.null) = (0.25, [0.2, 0.28], 0.01);
            (row.detectable, row.p99_ns) = (0.05, None);
        }
    });
    let table = rendered(&comparison, Format::Table);
    for row in [
        " 50.0k/s  40.0k/s   -20.0  -21.9…-16.7  -1.0   4.8  regressed\n",
        " 20.0 µs  25.0 µs   +25.0  +20.0…+28.0  +1.0   5.0  pass\n",
        "% of base's number; slower: time + or rate -\n",
    ] {
        assert!(table.contains(row), "{table}");
    }
    let page = html(&comparison);
    assert_eq!(page.matches("25.0 % slower, interval 20.0 % slower to 28.0 % slower").count(), 4);
}

#[test]
fn the_rows_of_a_group_stand_together_under_one_heading() {
    let comparison = changed(|rows| {
        let row = |id: &&str| TimingRow { id: (*id).to_owned(), p99_ns: None, ..rows[0].clone() };
        let ids = ["a/x/1", "cpu/x/1", "a/y/1", "cpu/y/1", "b/x/1"];
        *rows = ids.iter().map(row).collect();
    });
    let table = rendered(&comparison, Format::Table);
    let (_, timing) = table.split_once("verdict\n").expect("it has a header");
    let first: Vec<&str> =
        timing.lines().take(8).filter_map(|line| line.split("  ").next()).collect();
    assert_eq!(first, ["a", " x/1", " y/1", "cpu", " x/1", " y/1", "b", " x/1"]);
    let page = html(&comparison);
    let at = |id: &str| page.find(&format!("<h3>{id}</h3>")).expect("the page has the row");
    assert!(at("a/y/1") < at("cpu/x/1") && at("cpu/y/1") < at("b/x/1"));
}
