//! The results of a comparison, for every report. Plain data: nothing here measures, judges or prints.

use std::collections::BTreeMap;

use baselines::Verdict;
use baselines::compare::Change;
use baselines::sites::SiteCost;
use serde::Serialize;

/// All results of base against head.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The reference.
    pub base: Side,
    /// The revision or program that is judged.
    pub head: Side,
    /// When, where and with what compiler it was measured.
    pub provenance: Provenance,
    /// The command that runs the suite of the exact counts; empty without one.
    pub suite: String,
    /// Paired timings.
    pub timing: Part<Timing>,
    /// Blocks, bytes, reads and writes.
    pub exact: Part<Vec<ExactRow>>,
    /// Instructions under callgrind.
    pub instructions: Part<Vec<InstructionRow>>,
    /// The exit code of the whole comparison.
    pub exit_code: u8,
}

/// What a report that is kept says beside its numbers.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// Seconds since 1970.
    pub unix_s: u64,
    /// Processor, number of processors, system.
    pub machine: String,
    /// The compiler's version, of both sides if they differ; `None` for programs.
    pub compiler: Option<String>,
}

/// Base or head.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// The user's name for it: a revision, a file, a command, or `working tree`.
    pub name: String,
    /// The abbreviated commit; `None` for programs and the working tree.
    pub commit: Option<String>,
    /// The first line of the commit's message, likewise.
    pub title: Option<String>,
}

/// A part of the comparison.
#[derive(Clone, Debug)]
pub enum Part<T> {
    /// The results.
    Measured(T),
    /// It was left out or is impossible here, and decides nothing: the reason and the next step (`install valgrind`).
    NotMeasured(String),
    /// Two programs do not have it, and reports do not speak of it.
    Inapplicable,
    /// Its measurement failed: the error.
    Failed(String),
}

impl<T> From<anyhow::Result<T>> for Part<T> {
    fn from(measured: anyhow::Result<T>) -> Self {
        measured.map_or_else(|error| Self::Failed(format!("{error:#}")), Self::Measured)
    }
}

impl<T> Part<T> {
    /// The results, if there are any.
    pub fn measured(&self) -> Option<&T> {
        match self {
            Self::Measured(results) => Some(results),
            Self::NotMeasured(_) | Self::Inapplicable | Self::Failed(_) => None,
        }
    }

    /// `measured`, `not measured` or `failed`.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Measured(_) => "measured",
            Self::NotMeasured(_) | Self::Inapplicable => "not measured",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether a report speaks of it.
    pub fn is_shown(&self) -> bool {
        !matches!(self, Self::Inapplicable)
    }

    /// The reason why there are no results.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Measured(_) => None,
            Self::Inapplicable => Some("two programs have timings alone"),
            Self::NotMeasured(why) | Self::Failed(why) => Some(why),
        }
    }
}

/// The timing part.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Smallest change that must be called, as a share of base: 0.03.
    pub threshold: f64,
    /// Estimate from which on a change is called, slightly below the threshold: 0.027.
    pub called_from: f64,
    /// Level of the intervals: 0.99.
    pub confidence: f64,
    /// Seed of the order of the arms, for repeating it.
    pub seed: u64,
    /// In display order.
    pub rows: Vec<TimingRow>,
    /// Ids of rows that could not be measured, with the reason.
    pub left_out: BTreeMap<String, String>,
    /// Known causes that a row looks like, by its id; they decide nothing.
    pub hints: BTreeMap<String, String>,
}

/// One measured quantity. Effects are shares of base's cost: 0.05 is 5 % slower, -0.05 is 5 % faster.
#[derive(Clone, Debug, Serialize)]
pub struct TimingRow {
    /// `echo_latency/text/64B`.
    pub id: String,
    /// The outcome.
    pub verdict: Verdict,
    /// The quantity.
    pub unit: TimingUnit,
    /// Nanoseconds per operation of base: median over rounds.
    pub base_ns: f64,
    /// Nanoseconds per operation of head.
    pub head_ns: f64,
    /// Estimate of the change in cost.
    pub effect: f64,
    /// Interval of the effect at [`Timing::confidence`], low and high.
    pub interval: [f64; 2],
    /// Effect of the null control, a second copy of base; it should be 0.
    pub null: f64,
    /// Probability of such an effect by chance, adjusted for all rows after Holm.
    pub p: f64,
    /// Smallest change that this row would call in nine of ten runs.
    pub detectable: f64,
    /// 99th percentiles of base and head in nanoseconds: shown, never judged.
    pub p99_ns: Option<[f64; 2]>,
    /// Effect in each judged round of fresh processes.
    pub rounds: Vec<f64>,
    /// Whether the judged rounds were taken to confirm a suspicion.
    pub confirmed: bool,
}

/// How a timing is shown. All are stored in nanoseconds per operation, where less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TimingUnit {
    /// Wall-clock time of one operation.
    Time,
    /// Operations per second.
    Rate,
    /// The server's processor time for one operation.
    Cpu,
}

/// One allocation scenario on both sides.
#[derive(Clone, Debug, Serialize)]
pub struct ExactRow {
    /// The scenario's id.
    pub id: String,
    /// The outcome.
    pub verdict: Verdict,
    /// The name of one operation: `message`, `connection`.
    pub unit: String,
    /// N and 2N.
    pub ops: [u64; 2],
    /// Costs of one operation in base; `None` if base does not have the scenario or could not run it.
    pub base: Option<PerOp>,
    /// Costs of one operation in head, likewise.
    pub head: Option<PerOp>,
    /// Totals that differ. The JSON report adds the change per operation.
    #[serde(skip)]
    pub changes: Vec<Change>,
    /// Call sites that differ, largest change first; empty if none differs or they are not known.
    pub sites: Vec<SiteRow>,
    /// Sentences about leaks, failures and missing call sites.
    pub notes: Vec<String>,
}

/// Costs of one operation: slopes between N and 2N.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PerOp {
    /// Heap blocks.
    pub blocks: f64,
    /// Heap bytes.
    pub bytes: f64,
    /// Calls that read from a socket; `None` if its streams were not counted.
    pub reads: Option<f64>,
    /// Calls that wrote to a socket; `None` if its streams were not counted.
    pub writes: Option<f64>,
}

/// A call site that differs.
#[derive(Clone, Debug, Serialize)]
pub struct SiteRow {
    /// The call path, innermost first, ` <- ` between its frames.
    #[serde(rename = "site")]
    pub key: String,
    /// File and line in head, or in base if head does not have the site.
    pub place: Option<String>,
    /// Its cost in base, at N and 2N; `None` if base does not have it.
    pub base: Option<SiteCost>,
    /// Its cost in head.
    pub head: Option<SiteCost>,
}

/// Instructions of one scenario.
#[derive(Clone, Debug, Serialize)]
pub struct InstructionRow {
    /// The scenario's id.
    pub id: String,
    /// The outcome.
    pub verdict: Verdict,
    /// The name of one operation.
    pub unit: String,
    /// Instructions per operation of base; `None` if base does not have the scenario or could not run it.
    pub base: Option<f64>,
    /// Instructions per operation of head, likewise.
    pub head: Option<f64>,
    /// Functions whose own instructions per operation differ, largest change first.
    pub functions: Vec<FunctionRow>,
}

/// A function that executes more or fewer instructions of its own.
#[derive(Clone, Debug, Serialize)]
pub struct FunctionRow {
    /// Its name without hashes.
    pub name: String,
    /// Its file, if known.
    pub file: Option<String>,
    /// Whether its file is one of the repository.
    #[serde(skip)]
    pub is_own: bool,
    /// Instructions of its own per operation in base.
    pub base: f64,
    /// Instructions of its own per operation in head.
    pub head: f64,
}
