use std::collections::BTreeMap;

use baselines::Verdict;
use baselines::alloc::Metric;
use baselines::compare::Change;
use baselines::sites::SiteCost;
use bench_show::units;

use crate::gate;
use crate::model::{ExactRow, InstructionRow, PerOp, SiteRow, Timing, TimingRow, TimingUnit};

/// Shown for a part that was measured but has no rows; such a part does not pass.
pub(super) const NO_ROW: &str = "no row";

/// Shown in place of a missing number.
pub(super) const NONE: &str = "–";

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

/// `+5.1`, `-0.3`, `+120`: a change in percent, for a column.
pub(super) fn change_percent(share: f64) -> String {
    let text = percent(share.abs());
    match text.trim_matches(['0', '.']) {
        "" | NONE => text,
        _ if share < 0.0 => format!("-{text}"),
        _ => format!("+{text}"),
    }
}

/// `3.0`, `120`: a positive share in percent, for a column.
pub(super) fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if !percent.is_finite() => NONE.to_owned(),
        percent @ ..99.95 => format!("{percent:.1}"),
        percent => format!("{percent:.0}"),
    }
}

/// `+5.1 %`: the change from base to head; a dash if one is missing.
fn change(base: Option<f64>, head: Option<f64>) -> String {
    match (base, head) {
        (Some(base), Some(head)) if base > 0.0 => {
            format!("{} %", change_percent(head / base - 1.0))
        }
        _ => NONE.to_owned(),
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
pub(super) fn timing_cells(row: &TimingRow) -> [String; 6] {
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

/// The cells of a row of instructions: base, head, change.
pub(super) fn instruction_cells(row: &InstructionRow) -> [String; 3] {
    [or_none(row.base), or_none(row.head), change(row.base, row.head)]
}

/// All numbers of a timing in one sentence.
pub(super) fn timing(row: &TimingRow) -> String {
    let [base, head, change, interval, null, seen] = timing_cells(row);
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

/// The differences of a scenario: costs per operation in one line, totals in another.
pub(super) fn exact(row: &ExactRow) -> Vec<String> {
    let per_op: Vec<_> = figures(row)
        .into_iter()
        .filter(|(_, base, head)| base.is_some() && head.is_some() && base != head)
        .map(|(name, base, head)| format!("{name} {} → {}", or_none(base), or_none(head)))
        .collect();
    let mut lines = Vec::new();
    if !per_op.is_empty() {
        lines.push(format!("per {}: {}", row.unit, per_op.join(", ")));
    }
    let fixed: Vec<_> = row.changes.iter().filter_map(|change| fixed(row, change)).collect();
    if !fixed.is_empty() {
        let [ops, _] = row.ops;
        let unit = units::plural(ops, &row.unit);
        lines.push(format!("at {ops} {unit}: {}", fixed.join(", ")));
    }
    lines
}

/// The four costs of an operation: name, base, head.
pub(super) fn figures(row: &ExactRow) -> [(&'static str, Option<f64>, Option<f64>); 4] {
    type Figure = fn(PerOp) -> Option<f64>;
    let figures: [(_, Figure); 4] = [
        ("blocks", |cost| Some(cost.blocks)),
        ("bytes", |cost| Some(cost.bytes)),
        ("reads", |cost| cost.reads),
        ("writes", |cost| cost.writes),
    ];
    figures.map(|(name, figure)| (name, row.base.and_then(figure), row.head.and_then(figure)))
}

/// A total that moved without the cost of an operation. Peaks are not costs of an operation.
fn fixed(row: &ExactRow, change: &Change) -> Option<String> {
    let is_peak = matches!(change.metric, Metric::PeakBytes | Metric::HeldBytes);
    (is_peak || change.per_op_delta(row.ops) == Some(0.0)).then(|| {
        let name = change.metric.name().replace('_', " ");
        format!("{name} {} → {}", change.recorded[0], change.measured[0])
    })
}

/// `+1 blocks, +64 bytes per message`, or `in total` if only the fixed cost moved.
pub(super) fn moved(row: &ExactRow, base: Option<SiteCost>, head: Option<SiteCost>) -> String {
    let (base, head) = (base.unwrap_or_default(), head.unwrap_or_default());
    let grown = row.ops[1].saturating_sub(row.ops[0]).max(1) as f64;
    let delta = |base: [u64; 2], head: [u64; 2]| {
        let at = |n: usize| head[n] as f64 - base[n] as f64;
        ((at(1) - at(0)) / grown, at(0))
    };
    let (blocks, blocks_at_n) = delta(base.blocks, head.blocks);
    let (bytes, bytes_at_n) = delta(base.bytes, head.bytes);
    if blocks == 0.0 && bytes == 0.0 {
        return format!("{} blocks, {} bytes in total", signed(blocks_at_n), signed(bytes_at_n));
    }
    format!("{} blocks, {} bytes per {}", signed(blocks), signed(bytes), row.unit)
}

/// File and line of a call site.
pub(super) fn place(site: &SiteRow) -> &str {
    match &site.place {
        _ if site.head.is_none() => "gone",
        Some(place) if !place.is_empty() => place,
        _ => "place unknown",
    }
}

/// Call sites that changed in many scenarios, with the number of scenarios and the place. Reports show them once.
pub(super) type Shared<'a> = BTreeMap<&'a str, (usize, &'a str)>;

/// Number of scenarios from which on a call site is shared.
const MANY: usize = 4;

pub(super) fn shared(rows: &[ExactRow]) -> Shared<'_> {
    let mut shared = Shared::new();
    for site in rows.iter().flat_map(|row| &row.sites) {
        shared.entry(site.key.as_str()).or_insert_with(|| (0, place(site))).0 += 1;
    }
    shared.retain(|_, (scenarios, _)| *scenarios >= MANY);
    shared
}

/// `12`, `12.25`: a whole number, or two decimals.
pub(super) fn number(value: f64) -> String {
    // A tiny negative value would be shown as -0.
    let value = if value.abs() < 0.005 { 0.0 } else { value };
    if (value - value.round()).abs() < 0.005 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

pub(super) fn or_none(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), number)
}

pub(super) fn signed(value: f64) -> String {
    let text = number(value);
    if text.starts_with('-') { text } else { format!("+{text}") }
}

/// For a scenario without numbers on both sides.
pub(super) fn only(row: &ExactRow) -> &'static str {
    match (&row.base, &row.head) {
        (Some(_), None) => "only base has numbers",
        (None, Some(_)) => "only head has numbers",
        _ => "neither side has numbers",
    }
}
