use std::collections::BTreeMap;

use serde::Serialize;

use super::summary;
use crate::model::{Comparison, ExactRow, InstructionRow, Part, Side, Timing, TimingRow};

/// Version of the format; raised when a program that reads it would have to change.
const SCHEMA: u32 = 1;

/// `schema`, `base`, `head`, `exit_code`, `verdicts` (word to number of rows), and the parts `timing`, `exact` and
/// `instructions`, each with a `state` (`measured`, `not measured`, `failed`), a `why` unless it was measured, and
/// `rows`.
pub(super) fn render(comparison: &Comparison) -> anyhow::Result<String> {
    let Comparison { base, head, timing, exact, instructions, exit_code, .. } = comparison;
    let counts = summary::counts(comparison).into_iter();
    let report = Report {
        schema: SCHEMA,
        base,
        head,
        exit_code: *exit_code,
        verdicts: counts.map(|(verdict, count)| (verdict.as_str(), count)).collect(),
        timing: TimingReport::new(timing),
        exact: PartReport::new(exact, |rows| rows.iter().map(ExactReport::new).collect()),
        instructions: PartReport::new(instructions, |rows| rows.iter().collect()),
    };
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    base: &'a Side,
    head: &'a Side,
    exit_code: u8,
    verdicts: BTreeMap<&'a str, usize>,
    timing: TimingReport<'a>,
    exact: PartReport<'a, ExactReport<'a>>,
    instructions: PartReport<'a, &'a InstructionRow>,
}

#[derive(Serialize)]
struct PartReport<'a, Row> {
    state: &'a str,
    why: Option<&'a str>,
    rows: Vec<Row>,
}

impl<'a, Row> PartReport<'a, Row> {
    fn new<T>(part: &'a Part<T>, rows: impl FnOnce(&'a T) -> Vec<Row>) -> Self {
        let rows = part.measured().map(rows).unwrap_or_default();
        Self { state: part.state(), why: part.why(), rows }
    }
}

#[derive(Serialize)]
struct TimingReport<'a> {
    threshold: Option<f64>,
    called_from: Option<f64>,
    confidence: Option<f64>,
    seed: Option<u64>,
    left_out: Option<&'a BTreeMap<String, String>>,
    hints: Option<&'a BTreeMap<String, String>>,
    #[serde(flatten)]
    part: PartReport<'a, &'a TimingRow>,
}

impl<'a> TimingReport<'a> {
    fn new(part: &'a Part<Timing>) -> Self {
        let timing = part.measured();
        Self {
            threshold: timing.map(|timing| timing.threshold),
            called_from: timing.map(|timing| timing.called_from),
            confidence: timing.map(|timing| timing.confidence),
            seed: timing.map(|timing| timing.seed),
            left_out: timing.map(|timing| &timing.left_out),
            hints: timing.map(|timing| &timing.hints),
            part: PartReport::new(part, |timing| timing.rows.iter().collect()),
        }
    }
}

#[derive(Serialize)]
struct ExactReport<'a> {
    #[serde(flatten)]
    row: &'a ExactRow,
    changes: BTreeMap<&'a str, Totals>,
}

/// The totals of a metric at N and 2N, and the change of the cost of one operation.
#[derive(Serialize)]
struct Totals {
    base: [u64; 2],
    head: [u64; 2],
    per_op_delta: Option<f64>,
}

impl<'a> ExactReport<'a> {
    fn new(row: &'a ExactRow) -> Self {
        let changes = row.changes.iter().map(|change| {
            let (base, head) = (change.recorded, change.measured);
            let per_op_delta = change.per_op_delta(row.ops);
            (change.metric.name(), Totals { base, head, per_op_delta })
        });
        Self { row, changes: changes.collect() }
    }
}
