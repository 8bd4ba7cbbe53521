use baselines::Verdict;
use compare::model::{TimingRow, TimingUnit};

use super::figures::{Share, alarms, powers};
use super::record::{Head, Record, Row};
use super::{COMMAND, curve, document, seen};

pub(super) fn timing_row(id: &str, base_ns: f64) -> TimingRow {
    TimingRow {
        id: id.to_owned(),
        verdict: Verdict::Pass,
        unit: TimingUnit::Time,
        base_ns,
        head_ns: base_ns,
        effect: 0.0,
        interval: [0.0; 2],
        null: 0.0,
        p: 1.0,
        detectable: 0.03,
        p99_ns: None,
        rounds: Vec::new(),
        confirmed: false,
    }
}

/// A comparison in which the processor time of the server is half of the wall-clock time.
fn record(slower: f64, verdicts: [Verdict; 2]) -> Record {
    let row = |(at, verdict): (usize, Verdict)| Row {
        id: ["echo_latency/text/64B", "echo_cpu/text/64B"][at].to_owned(),
        workload: 0,
        verdict: verdict.as_str().to_owned(),
        injected: slower * (at + 1) as f64,
        effect: slower * (at + 1) as f64,
        null: 0.0,
        detectable: 0.031,
    };
    let rows = verdicts.into_iter().enumerate().map(row).collect();
    let head = if slower == 0.0 { Head::Same } else { Head::Slower(slower) };
    Record { head, busy: 0, together: 1, seconds: 4.0, rows }
}

#[test]
fn an_alarm_in_any_row_and_direction_is_one_false_alarm() {
    let records = [
        record(0.0, [Verdict::Pass, Verdict::Pass]),
        record(0.0, [Verdict::Improved, Verdict::Regressed]),
        record(0.0, [Verdict::Pass, Verdict::TooNoisy]),
        record(0.05, [Verdict::Regressed, Verdict::Regressed]),
    ];
    let alarms = alarms(&records);
    assert_eq!(alarms.len(), 1);
    assert_eq!(alarms[0].any, Share { times: 1, of: 3 });
    assert_eq!(alarms[0].noisy, Share { times: 1, of: 3 });
    assert_eq!(alarms[0].rows[0].alarms, Share { times: 1, of: 3 });
}

#[test]
fn a_slowdown_is_seen_by_its_row_or_by_another_row_of_its_traffic() {
    let records = [
        record(0.03, [Verdict::Regressed, Verdict::Regressed]),
        record(0.03, [Verdict::Pass, Verdict::Regressed]),
        record(0.0, [Verdict::Regressed, Verdict::Regressed]),
    ];
    let powers = powers(&records);
    assert_eq!(powers.len(), 2);
    assert_eq!(powers[0].of_row, Share { times: 1, of: 2 });
    assert_eq!(powers[0].of_traffic, Share { times: 2, of: 2 });
    assert_eq!((powers[0].effect, powers[1].effect), (0.03, 0.06));
}

#[test]
fn records_of_a_selection_add_to_those_of_all_rows() {
    let all = record(0.03, [Verdict::Regressed, Verdict::Pass]);
    let mut some = all.clone();
    some.rows.truncate(1);
    let powers = powers(&[some, all]);
    let counted: Vec<_> =
        powers.iter().map(|power| (power.id.as_str(), power.of_row, power.of_traffic)).collect();
    let twice = Share { times: 2, of: 2 };
    let first = ("echo_latency/text/64B", twice, twice);
    let second = ("echo_cpu/text/64B", Share { times: 0, of: 1 }, Share { times: 1, of: 1 });
    assert_eq!(counted, [first, second]);
}

#[test]
fn a_row_is_slowed_by_what_identical_programs_let_it_see() {
    let mut records = records();
    assert_eq!(seen(&records, 0)["echo_cpu/text/64B"], 0.031);
    records.retain(|record| record.busy == 0);
    assert!(seen(&records, 1).is_empty());
}

#[test]
fn a_row_that_misses_what_it_says_it_sees_says_so() {
    let alarms = alarms(&records());
    let called: Vec<Share> = alarms[0].rows.iter().map(|row| row.called).collect();
    assert_eq!(called, [Share { times: 2, of: 2 }, Share { times: 1, of: 2 }]);
    let text = document::markdown(&records(), 0.03, COMMAND, 3, "CALIBRATION.svg");
    assert_eq!(text.matches("1 of 2, not nine of ten").count(), 1, "{text}");
}

#[test]
fn bounds_without_a_comparison_exclude_no_rate() {
    assert_eq!(Share::default().upper(), 1.0);
    assert_eq!(Share::default().interval(), [0.0, 1.0]);
    assert!(Share { times: 0, of: 200 }.upper() < 0.015);
}

/// Records of both kinds, alone and together.
fn records() -> Vec<Record> {
    let busy = Record { busy: 1, together: 8, seconds: 0.0, ..record(0.0, [Verdict::Pass; 2]) };
    let mut records = vec![
        record(0.0, [Verdict::Pass, Verdict::Pass]),
        Record { seconds: 9.5, ..record(0.0, [Verdict::TooNoisy, Verdict::Pass]) },
        record(0.01, [Verdict::Pass, Verdict::Pass]),
        record(0.03, [Verdict::Regressed, Verdict::Pass]),
        record(0.03, [Verdict::Pass, Verdict::Pass]),
        record(0.1, [Verdict::Regressed, Verdict::Regressed]),
    ];
    records.extend(vec![busy; 8]);
    let called = Record { head: Head::Seen, ..record(0.031, [Verdict::Regressed; 2]) };
    let missed = Record { head: Head::Seen, ..record(0.031, [Verdict::Regressed, Verdict::Pass]) };
    records.extend([called, missed]);
    records
}

#[test]
fn the_document_shows_alarms_and_power() {
    insta::assert_snapshot!(document::markdown(&records(), 0.03, COMMAND, 3, "CALIBRATION.svg"));
}

#[test]
fn the_drawing_has_a_line_for_each_traffic() {
    insta::assert_snapshot!(curve::svg(&records(), 0.03));
}

#[test]
fn the_published_document_has_the_words_of_the_renderer() {
    let words = |document: &str| -> Vec<String> {
        document.lines().filter(|line| !line.starts_with("| `")).map(str::to_owned).collect()
    };
    let rendered = document::markdown(&[], 0.03, COMMAND, 3, "CALIBRATION.svg");
    let published = include_str!("../../../CALIBRATION.md");
    let figures = |line: &String| line.starts_with("| 0 |") || line.starts_with("| 1 |");
    let mut published = words(published);
    // A note says what has changed since the figures were measured; the next calibration removes it.
    published.retain(|line| !figures(line) && !line.starts_with("> "));
    assert_eq!(published, words(&rendered), "run scripts/calibrate.sh, or copy the words");
}
