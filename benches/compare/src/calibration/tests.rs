use super::*;

fn record(slower: f64, verdicts: [Verdict; 2]) -> Record {
    let row = |(at, verdict): (usize, Verdict)| Row {
        id: ["echo_latency/text/64B", "echo_cpu/text/64B"][at].to_owned(),
        workload: 0,
        verdict: verdict.as_str().to_owned(),
        effect: slower * (at + 1) as f64,
        null: 0.0,
        detectable: 0.031,
    };
    let rows = verdicts.into_iter().enumerate().map(row).collect();
    Record { slower, busy: 0, together: 1, seconds: 4.0, rows }
}

#[test]
fn an_alarm_in_any_row_and_either_direction_is_one_false_alarm() {
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
    assert_eq!(alarms[0].rows[0].1, Share { times: 1, of: 3 });
}

#[test]
fn a_slowdown_is_seen_by_its_row_or_by_the_processor_time_of_the_same_traffic() {
    let records = [
        record(0.03, [Verdict::Regressed, Verdict::Regressed]),
        record(0.03, [Verdict::Pass, Verdict::Regressed]),
        record(0.0, [Verdict::Regressed, Verdict::Regressed]),
    ];
    let powers = powers(&records);
    assert_eq!(powers.len(), 2);
    assert_eq!(powers[0].row, Share { times: 1, of: 2 });
    assert_eq!(powers[0].workload, Share { times: 2, of: 2 });
    assert_eq!((powers[0].effect, powers[1].effect), (0.03, 0.06));
}

#[test]
fn records_of_some_rows_add_to_those_of_all() {
    let all = record(0.03, [Verdict::Regressed, Verdict::Pass]);
    let mut some = all.clone();
    some.rows.truncate(1);
    let powers = powers(&[some, all]);
    let counted: Vec<_> =
        powers.iter().map(|power| (power.id.as_str(), power.row, power.workload)).collect();
    let twice = Share { times: 2, of: 2 };
    let first = ("echo_latency/text/64B", twice, twice);
    let second = ("echo_cpu/text/64B", Share { times: 0, of: 1 }, Share { times: 1, of: 1 });
    assert_eq!(counted, [first, second]);
}

#[test]
fn nothing_measured_is_no_assurance() {
    assert_eq!(Share::default().upper(), 1.0);
    assert_eq!(Share::default().interval(), [0.0, 1.0]);
    assert!(Share { times: 0, of: 200 }.upper() < 0.015);
}
