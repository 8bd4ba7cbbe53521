use std::collections::BTreeMap;

use baselines::Verdict;
use baselines::sites::SiteCost;
use serde::Serialize;

use super::{outcome, words};
use crate::model::{
    Comparison, ExactRow, FunctionRow, InstructionRow, Part, PerOp, Side, SiteRow, Timing,
    TimingRow,
};

/// Version of the shape; raised when a program that reads it would have to change.
const SCHEMA: u32 = 1;

/// `schema`, `base`, `head`, `exit_code`, `verdicts` (word to how many), and the parts `timing`, `exact` and
/// `instructions`, each with a `state` (`measured`, `not measured`, `failed`), a `why` where it was not, and `rows`.
pub(super) fn render(comparison: &Comparison) -> anyhow::Result<String> {
    let report = Report {
        schema: SCHEMA,
        base: WireSide::from(&comparison.base),
        head: WireSide::from(&comparison.head),
        exit_code: comparison.exit_code,
        verdicts: outcome::counts(comparison)
            .into_iter()
            .map(|(verdict, count)| (verdict.as_str(), count))
            .collect(),
        timing: WireTiming::from(&comparison.timing),
        exact: WirePart::new(&comparison.exact, |rows| rows.iter().map(Exact::from).collect()),
        instructions: WirePart::new(&comparison.instructions, |rows| {
            rows.iter().map(Instructions::from).collect()
        }),
    };
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    base: WireSide<'a>,
    head: WireSide<'a>,
    exit_code: u8,
    verdicts: BTreeMap<&'a str, usize>,
    timing: WireTiming<'a>,
    exact: WirePart<'a, Exact<'a>>,
    instructions: WirePart<'a, Instructions<'a>>,
}

#[derive(Serialize)]
struct WireSide<'a> {
    name: &'a str,
    commit: Option<&'a str>,
}

impl<'a> From<&'a Side> for WireSide<'a> {
    fn from(side: &'a Side) -> Self {
        Self { name: &side.name, commit: side.commit.as_deref() }
    }
}

#[derive(Serialize)]
struct WirePart<'a, Row> {
    state: &'a str,
    why: Option<&'a str>,
    rows: Vec<Row>,
}

impl<'a, Row> WirePart<'a, Row> {
    fn new<T>(part: &'a Part<T>, rows: impl FnOnce(&'a T) -> Vec<Row>) -> Self {
        match part {
            Part::Measured(data) => Self { state: "measured", why: None, rows: rows(data) },
            Part::NotMeasured(why) => {
                Self { state: "not measured", why: Some(why), rows: Vec::new() }
            }
            Part::Failed(why) => {
                Self { state: Verdict::Failed.as_str(), why: Some(why), rows: Vec::new() }
            }
        }
    }
}

#[derive(Serialize)]
struct WireTiming<'a> {
    threshold: Option<f64>,
    called_from: Option<f64>,
    confidence: Option<f64>,
    seed: Option<u64>,
    left_out: Option<&'a BTreeMap<String, String>>,
    #[serde(flatten)]
    part: WirePart<'a, TimingOf<'a>>,
}

impl<'a> From<&'a Part<Timing>> for WireTiming<'a> {
    fn from(part: &'a Part<Timing>) -> Self {
        let timing = outcome::measured(part);
        Self {
            threshold: timing.map(|timing| timing.threshold),
            called_from: timing.map(|timing| timing.called_from),
            confidence: timing.map(|timing| timing.confidence),
            seed: timing.map(|timing| timing.seed),
            left_out: timing.map(|timing| &timing.left_out),
            part: WirePart::new(part, |timing| timing.rows.iter().map(TimingOf::from).collect()),
        }
    }
}

/// Effects are shares of base's cost: 0.05 is 5 % slower.
#[derive(Serialize)]
struct TimingOf<'a> {
    id: &'a str,
    verdict: &'a str,
    unit: &'a str,
    base_ns: f64,
    head_ns: f64,
    effect: f64,
    interval: [f64; 2],
    null: f64,
    p: f64,
    detectable: f64,
    p99_ns: Option<[f64; 2]>,
    rounds: &'a [f64],
    confirmed: bool,
}

impl<'a> From<&'a TimingRow> for TimingOf<'a> {
    fn from(row: &'a TimingRow) -> Self {
        Self {
            id: &row.id,
            verdict: row.verdict.as_str(),
            unit: words::unit(row.unit),
            base_ns: row.base_ns,
            head_ns: row.head_ns,
            effect: row.effect,
            interval: row.interval,
            null: row.null,
            p: row.p,
            detectable: row.detectable,
            p99_ns: row.p99_ns,
            rounds: &row.rounds,
            confirmed: row.confirmed,
        }
    }
}

/// Per operation on each side, and the totals at N and 2N operations of what differs.
#[derive(Serialize)]
struct Exact<'a> {
    id: &'a str,
    verdict: &'a str,
    unit: &'a str,
    ops: [u64; 2],
    base: Option<WirePerOp>,
    head: Option<WirePerOp>,
    changes: BTreeMap<&'a str, Totals>,
    sites: Vec<Site<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct WirePerOp {
    blocks: f64,
    bytes: f64,
    reads: f64,
    writes: f64,
}

#[derive(Serialize)]
struct Totals {
    base: [u64; 2],
    head: [u64; 2],
    per_op_delta: Option<f64>,
}

#[derive(Serialize)]
struct Site<'a> {
    site: &'a str,
    place: Option<&'a str>,
    base: Option<SiteCost>,
    head: Option<SiteCost>,
}

impl<'a> From<&'a ExactRow> for Exact<'a> {
    fn from(row: &'a ExactRow) -> Self {
        let per_op =
            |PerOp { blocks, bytes, reads, writes }| WirePerOp { blocks, bytes, reads, writes };
        let changes = row.changes.iter().map(|change| {
            let totals = Totals {
                base: change.recorded,
                head: change.measured,
                per_op_delta: change.per_op_delta(row.ops),
            };
            (change.metric.name(), totals)
        });
        Self {
            id: &row.id,
            verdict: row.verdict.as_str(),
            unit: &row.unit,
            ops: row.ops,
            base: row.base.map(per_op),
            head: row.head.map(per_op),
            changes: changes.collect(),
            sites: row.sites.iter().map(Site::from).collect(),
            notes: &row.notes,
        }
    }
}

impl<'a> From<&'a SiteRow> for Site<'a> {
    fn from(site: &'a SiteRow) -> Self {
        Self { site: &site.key, place: site.place.as_deref(), base: site.base, head: site.head }
    }
}

#[derive(Serialize)]
struct Instructions<'a> {
    id: &'a str,
    verdict: &'a str,
    unit: &'a str,
    base: Option<f64>,
    head: Option<f64>,
    functions: Vec<Function<'a>>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    file: Option<&'a str>,
    base: f64,
    head: f64,
}

impl<'a> From<&'a InstructionRow> for Instructions<'a> {
    fn from(row: &'a InstructionRow) -> Self {
        let function = |FunctionRow { name, file, base, head }: &'a FunctionRow| Function {
            name,
            file: file.as_deref(),
            base: *base,
            head: *head,
        };
        Self {
            id: &row.id,
            verdict: row.verdict.as_str(),
            unit: &row.unit,
            base: row.base,
            head: row.head,
            functions: row.functions.iter().map(function).collect(),
        }
    }
}
