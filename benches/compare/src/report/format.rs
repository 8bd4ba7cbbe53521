use std::collections::BTreeMap;

use baselines::alloc::Metric;
use baselines::compare::Change;
use baselines::sites::SiteCost;
use bench_show::units;

use crate::model::{ExactRow, InstructionRow, PerOp, SiteRow};

/// Shown for a part that was measured but has no rows; such a part does not pass.
pub(super) const NO_ROW: &str = "no row";

/// Shown in place of a missing number.
pub(super) const NONE: &str = "–";

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

/// `4812 → 5058.50 instructions per message, +5.1 %`.
pub(super) fn instructions(row: &InstructionRow) -> String {
    let [base, head, change] = instruction_cells(row);
    format!("{base} → {head} instructions per {}, {change}", row.unit)
}

/// The cells of a row of instructions: base, head, change.
pub(super) fn instruction_cells(row: &InstructionRow) -> [String; 3] {
    [or_none(row.base), or_none(row.head), change(row.base, row.head)]
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

/// All sentences about a scenario: on which side it is, its differences, its notes.
pub(super) fn findings(row: &ExactRow) -> Vec<String> {
    let is_one_sided = row.base.is_none() || row.head.is_none();
    let mut findings: Vec<String> =
        is_one_sided.then(|| only(row).to_owned()).into_iter().collect();
    findings.extend(exact(row));
    findings.extend(row.notes.iter().cloned());
    findings
}

/// The first of [`findings`], and the line of code.
pub(super) fn reason(row: &ExactRow) -> String {
    let first = findings(row).into_iter().take(1);
    let place = culprit(row).map(|site| place(site).to_owned());
    first.chain(place).collect::<Vec<_>>().join("; ")
}

/// The call site of head that grew most; the first one if none grew.
pub(super) fn culprit(row: &ExactRow) -> Option<&SiteRow> {
    let mut named = row.sites.iter().filter(|site| site.head.is_some() && site.place.is_some());
    let grew_most = named.clone().rev().max_by(|a, b| growth(row, a).total_cmp(&growth(row, b)));
    grew_most.filter(|site| growth(row, site) > 0.0).or_else(|| named.next())
}

/// Blocks of a site per operation that base does not have, to a tenth.
pub(super) fn growth(row: &ExactRow, site: &SiteRow) -> f64 {
    let slope = |cost: Option<SiteCost>| {
        cost.map_or(0.0, |SiteCost { blocks: [once, twice], .. }| twice as f64 - once as f64)
    };
    (10.0 * (slope(site.head) - slope(site.base)) / row.ops[0].max(1) as f64).round()
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
