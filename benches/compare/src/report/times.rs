use baselines::Verdict;
use bench_show::units;

use super::format::{NONE, change_percent, percent};
use crate::gate;
use crate::model::{Timing, TimingRow, TimingUnit};

/// `45.6 µs`, `84.5k/s`: a cost in nanoseconds per operation, in the unit of its row.
pub(super) fn quantity(unit: TimingUnit, ns: f64) -> String {
    match unit {
        _ if !ns.is_finite() || ns <= 0.0 => NONE.to_owned(),
        TimingUnit::Time | TimingUnit::Cpu => units::time(ns),
        TimingUnit::Rate => units::rate(1e9 / ns),
    }
}

pub(super) fn unit(unit: TimingUnit) -> &'static str {
    match unit {
        TimingUnit::Time => "time",
        TimingUnit::Rate => "rate",
        TimingUnit::Cpu => "cpu",
    }
}

/// The quantity of a row in words.
pub(super) fn unit_in_full(unit: TimingUnit) -> &'static str {
    match unit {
        TimingUnit::Time => "time of one operation",
        TimingUnit::Rate => "operations per second",
        TimingUnit::Cpu => "CPU time of one operation",
    }
}

/// A change of the cost of an operation as a change of the number that is shown: a rate falls where its cost rises.
fn shown(unit: TimingUnit, effect: f64) -> f64 {
    match unit {
        TimingUnit::Time | TimingUnit::Cpu => effect,
        TimingUnit::Rate => 1.0 / (1.0 + effect) - 1.0,
    }
}

/// The cells of a timing: base, head, change, interval, null, seen. All changes are those of the numbers beside them.
pub(super) fn cells(row: &TimingRow) -> [String; 6] {
    let change = |effect| change_percent(shown(row.unit, effect));
    let [low, high] = row.interval;
    let ends = match row.unit {
        // Too few rounds exclude nothing.
        _ if !high.is_finite() => [f64::NAN; 2],
        TimingUnit::Time | TimingUnit::Cpu => [low, high],
        TimingUnit::Rate => [high, low],
    };
    let [low, high] = ends.map(change);
    [
        quantity(row.unit, row.base_ns),
        quantity(row.unit, row.head_ns),
        change(row.effect),
        format!("{low}…{high}"),
        change(row.null),
        seen(row),
    ]
}

/// The smallest change that a row could have seen, in percent of the number that is shown.
pub(super) fn seen(row: &TimingRow) -> String {
    percent(shown(row.unit, row.detectable).abs())
}

/// `5.1 % slower`: a change of the cost of an operation in words.
pub(super) fn direction(effect: f64) -> String {
    let way = if effect < 0.0 { "faster" } else { "slower" };
    format!("{} % {way}", percent(effect.abs()))
}

/// The rows, those of a group together: in the order in which the groups begin.
pub(super) fn grouped(rows: &[TimingRow]) -> Vec<&TimingRow> {
    let group = |row: &TimingRow| row.id.split_once('/').map(|(group, _)| group.to_owned());
    let begins = |row: &TimingRow| rows.iter().position(|other| group(other) == group(row));
    let mut rows: Vec<&TimingRow> = rows.iter().collect();
    rows.sort_by_key(|row| begins(row));
    rows
}

/// All numbers of a timing in one sentence.
pub(super) fn sentence(row: &TimingRow) -> String {
    let [base, head, change, interval, null, seen] = cells(row);
    let unit = unit(row.unit);
    let mut text = format!(
        "{unit} {base} → {head}, {change} % ({interval}), null control {null} %, could have seen {seen} %"
    );
    if let Some([base, head]) = row.p99_ns {
        text += &format!("; p99 {} → {}", units::time(base), units::time(head));
    }
    text
}

/// Share of a batch's time from which on what it could not see is no noise of a machine.
const STALLS_FROM: f64 = 0.5;

/// A sentence for each row that is too noisy.
pub(super) fn noise(timing: &Timing) -> impl Iterator<Item = (&str, String)> {
    let limit = gate::must_see(timing.threshold);
    let rows = timing.rows.iter().filter(|row| row.verdict == Verdict::TooNoisy);
    rows.map(move |row| {
        let why = if row.detectable > limit {
            let (seen, limit) = (seen(row), percent(shown(row.unit, limit).abs()));
            let mut why =
                format!("could only have seen {seen} %; a row passes only if it sees {limit} %");
            // Its second write waits for the acknowledgement of the first, up to 40 ms, or not.
            if row.id.starts_with("echo_burst") && row.detectable > STALLS_FROM {
                why += "; set TCP_NODELAY on what the server accepts, unless it is set: answers seem to wait for \
                        acknowledgements";
            }
            why
        } else {
            format!(
                "its null control moved by {} %, which may explain it",
                change_percent(shown(row.unit, row.null))
            )
        };
        (row.id.as_str(), why)
    })
}
