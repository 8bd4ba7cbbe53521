//! What a comparison found, as every report shows it. Plain data: nothing here measures, judges or prints.

use std::collections::BTreeMap;

use baselines::Verdict;
use baselines::compare::Change;
use baselines::sites::SiteCost;

/// Base against head, all parts.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// What head is held to.
    pub base: Side,
    /// What is judged.
    pub head: Side,
    /// Paired timings.
    pub timing: Part<Timing>,
    /// Blocks, bytes, reads and writes.
    pub exact: Part<Vec<ExactRow>>,
    /// Instructions under callgrind.
    pub instructions: Part<Vec<InstructionRow>>,
    /// The exit code of all of it.
    pub exit_code: u8,
}

/// One of the two that are compared.
#[derive(Clone, Debug)]
pub struct Side {
    /// What the user called it: a revision, a file, a command, or `working tree`.
    pub name: String,
    /// The commit behind it, abbreviated, where there is one.
    pub commit: Option<String>,
}

/// A part of the comparison that may be impossible here.
#[derive(Clone, Debug)]
pub enum Part<T> {
    /// It was measured.
    Measured(T),
    /// It was not, and decides nothing: why, and what to do about it (`install valgrind`).
    NotMeasured(String),
    /// It should have been measured and something broke: what.
    Failed(String),
}

/// The timing part.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Change, as a share of base, that must be seen: 0.03.
    pub threshold: f64,
    /// Estimate from which on a change is called one, a little below: 0.027.
    pub called_from: f64,
    /// Level of the intervals: 0.99.
    pub confidence: f64,
    /// Seed of the order of the arms, to repeat it.
    pub seed: u64,
    /// One entry a row, in the order they are shown.
    pub rows: Vec<TimingRow>,
    /// Rows that these servers have not, and why (`no /ws/dashboard`).
    pub left_out: BTreeMap<String, String>,
}

/// What one quantity came to. Effects are shares of base's cost: 0.05 is 5 % slower, -0.05 is 5 % faster.
#[derive(Clone, Debug)]
pub struct TimingRow {
    /// `echo_latency/text/64B`.
    pub id: String,
    /// What base and head are numbers of.
    pub unit: TimingUnit,
    /// Nanoseconds per operation of base: median over rounds.
    pub base_ns: f64,
    /// The same of head.
    pub head_ns: f64,
    /// How much more an operation costs head.
    pub effect: f64,
    /// Interval of the effect at [`Timing::confidence`], low and high.
    pub interval: [f64; 2],
    /// Effect of the second copy of base, which should be 0.
    pub null: f64,
    /// Probability of an effect as clear as this without a cause, adjusted for all rows after Holm.
    pub p: f64,
    /// Smallest effect that this row would have called a change in nine of ten runs.
    pub detectable: f64,
    /// 99th percentiles in nanoseconds, base and head: shown, never judged.
    pub p99_ns: Option<[f64; 2]>,
    /// Effect of each round of fresh processes that the judgement rests on.
    pub rounds: Vec<f64>,
    /// Whether the judgement rests on data taken after the row was suspected.
    pub confirmed: bool,
    /// The outcome.
    pub verdict: Verdict,
}

/// What a timing is shown as. All are kept in nanoseconds per operation, where less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimingUnit {
    /// Wall-clock time of one operation.
    Time,
    /// Operations in a second.
    Rate,
    /// The server's processor time for one operation.
    Cpu,
}

/// One allocation scenario on both sides.
#[derive(Clone, Debug)]
pub struct ExactRow {
    /// The scenario's id.
    pub id: String,
    /// What one operation is: `message`, `connection`.
    pub unit: String,
    /// N and 2N.
    pub ops: [u64; 2],
    /// Blocks, bytes, reads and writes per operation of base; `None` if base has not this scenario or could not run it.
    pub base: Option<PerOp>,
    /// The same of head.
    pub head: Option<PerOp>,
    /// Totals that differ, with [`Change::per_op_delta`].
    pub changes: Vec<Change>,
    /// Call sites that differ, largest change first; empty where nothing differs or the sites could not be had.
    pub sites: Vec<SiteRow>,
    /// Sentences: leaks, what broke, why there are no sites.
    pub notes: Vec<String>,
    /// The outcome.
    pub verdict: Verdict,
}

/// Slopes between N and 2N.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PerOp {
    /// Heap blocks.
    pub blocks: f64,
    /// Heap bytes.
    pub bytes: f64,
    /// Calls that read from a socket.
    pub reads: f64,
    /// Calls that wrote to one.
    pub writes: f64,
}

/// A call site that differs.
#[derive(Clone, Debug)]
pub struct SiteRow {
    /// The call path, innermost first, ` <- ` between its frames.
    pub key: String,
    /// File and line, in head where head has the site.
    pub place: Option<String>,
    /// Its cost in base, at N and 2N; `None` if base has not got it.
    pub base: Option<SiteCost>,
    /// Its cost in head.
    pub head: Option<SiteCost>,
}

/// Instructions of one in-memory scenario.
#[derive(Clone, Debug)]
pub struct InstructionRow {
    /// The scenario's id.
    pub id: String,
    /// What one operation is.
    pub unit: String,
    /// Instructions per operation of base; `None` if base has not this scenario.
    pub base: Option<f64>,
    /// The same of head.
    pub head: Option<f64>,
    /// Functions whose own instructions per operation differ, largest change first.
    pub functions: Vec<FunctionRow>,
    /// The outcome.
    pub verdict: Verdict,
}

/// A function that executes more or fewer instructions of its own.
#[derive(Clone, Debug)]
pub struct FunctionRow {
    /// Its name without hashes.
    pub name: String,
    /// The file it is in, where known.
    pub file: Option<String>,
    /// Instructions of its own per operation, base.
    pub base: f64,
    /// The same of head.
    pub head: f64,
}
