//! Paired timings of two programs: a short look at every row, and a longer one, on fresh data, at those that look
//! changed.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::gate::{self, Finding, Rule, Series};
use super::model::{Timing, TimingRow, TimingUnit};
use super::round::{Arm, Measured, Plan, Round, round};
use super::server_process::Program;
use super::workload::{Traffic, Workload, all};
use bench_kit::random::SplitMix64;
use bench_kit::statistics::median;

/// What a timing comparison may be told.
#[derive(Clone, Debug)]
pub struct Options {
    /// What counts as a change.
    pub rule: Rule,
    /// The path that servers echo on; only a command has another one than `/ws/echo`.
    pub path: String,
    /// Rows that contain one of these; all if there is none.
    pub only: Vec<String>,
    /// Seed of every order.
    pub seed: u64,
}

/// Rounds of the first look. Eight are the fewest whose interval at 99 % ends anywhere.
pub const SCREEN: usize = 10;

/// Rounds of the second look, which uses none of the first one's data.
pub const CONFIRM: usize = 30;

/// Second looks at a row whose control moved, each on fresh data.
const ATTEMPTS: usize = 3;

/// Chunks of each arm in a round. More of them sharpen a round less than another round does: most of what is left is in
/// the processes, not in the chunks.
pub const CYCLES: usize = 16;

/// Compares. `progress` hears what is being done, and how much of it is left.
///
/// # Errors
///
/// If a server cannot be started, ends, or does not answer as it should; if no row is called as asked.
pub fn compare(
    base: &Program,
    head: &Program,
    options: &Options,
    progress: &dyn Fn(&str, usize, usize),
) -> Result<Timing> {
    let arm = |name: &str, program: &Program| Arm {
        name: name.to_owned(),
        program: program.clone(),
        flags: Vec::new(),
    };
    let arms = [arm("base", base), arm("base's copy", base), arm("head", head)];
    let commands = [base, head].iter().any(|program| matches!(program, Program::Command(_)));
    let (workloads, mut left_out) = chosen(&options.only, commands)?;
    let mut rng = SplitMix64::new(options.seed);
    let rows = decide(&workloads, options.rule, |which, stage| {
        let which: Vec<&Workload> = which.iter().map(|at| &workloads[*at]).collect();
        let arms = vec![arms.to_vec(); which.len()];
        look(&which, &arms, stage, &options.path, &mut rng, progress)
    })?;
    for id in workloads.iter().filter_map(|workload| workload.cpu) {
        if !rows.iter().any(|row| row.id == id) {
            let why = "the processor time of a server stood still: does it serve from a process that came later?";
            left_out.insert(id.to_owned(), why.to_owned());
        }
    }
    Ok(Timing {
        threshold: options.rule.threshold,
        called_from: options.rule.called_from().exp_m1(),
        confidence: options.rule.confidence,
        seed: options.seed,
        rows,
        left_out,
    })
}

/// Which look at a workload it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The first one, at all of them.
    Screen,
    /// A longer one on fresh data; the number is that of the attempt, from 1.
    Confirm(usize),
}

impl Stage {
    fn rounds(self) -> usize {
        match self {
            Self::Screen => SCREEN,
            Self::Confirm(_) => CONFIRM,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Screen => "timing: a look at all rows",
            Self::Confirm(1) => "timing: a second look at what may have changed",
            Self::Confirm(_) => "timing: another look, the control moved",
        }
    }
}

/// Judges every row of `workloads`, whose rounds of base, a copy of base and head (in this order) come from `take`: it is
/// asked for some of the workloads at a stage.
///
/// # Errors
///
/// What `take` says.
pub fn decide(
    workloads: &[Workload],
    rule: Rule,
    mut take: impl FnMut(&[usize], Stage) -> Result<Vec<Vec<Round>>>,
) -> Result<Vec<TimingRow>> {
    let all: Vec<usize> = (0..workloads.len()).collect();
    let first = take(&all, Stage::Screen)?;
    let mut looks: Vec<Look> =
        first.into_iter().map(|rounds| Look { rounds, confirms: false }).collect();
    for attempt in 1..=ATTEMPTS {
        let again: Vec<usize> =
            all.iter().copied().filter(|at| looks[*at].calls_for_another(rule, attempt)).collect();
        if again.is_empty() {
            break;
        }
        let fresh = take(&again, Stage::Confirm(attempt))?;
        for (at, rounds) in again.into_iter().zip(fresh) {
            looks[at] = Look { rounds, confirms: true };
        }
    }
    Ok(judge(workloads, &looks, rule))
}

/// The workloads with a row that contains one of `only` (all if there is none), and the rows that programs have not that
/// are `commands`, with the reason.
///
/// # Errors
///
/// If no row is called so.
pub fn chosen(
    only: &[String],
    commands: bool,
) -> Result<(Vec<Workload>, BTreeMap<String, String>)> {
    let asked = |id: &str| only.is_empty() || only.iter().any(|part| id.contains(part));
    let mut left_out = BTreeMap::new();
    let mut workloads = Vec::new();
    for mut workload in all() {
        workload.wall = workload.wall.filter(|id| asked(id));
        workload.cpu = workload.cpu.filter(|id| asked(id));
        if commands && matches!(workload.traffic, Traffic::Dashboard { .. }) {
            let why = "a command is only asked to echo".to_owned();
            left_out.extend(workload.cpu.map(|id| (id.to_owned(), why)));
        } else if workload.wall.is_some() || workload.cpu.is_some() {
            workloads.push(workload);
        }
    }
    let ids: Vec<&str> = all().iter().flat_map(|one| [one.wall, one.cpu]).flatten().collect();
    ensure!(
        !workloads.is_empty(),
        "no row contains {}; there are {}",
        only.join(" or "),
        ids.join(", ")
    );
    Ok((workloads, left_out))
}

/// All rounds of one workload that a judgement rests on.
#[derive(Debug)]
struct Look {
    rounds: Vec<Round>,
    confirms: bool,
}

impl Look {
    /// After a first look, whoever is suspect; later only those whose control moved.
    fn calls_for_another(&self, rule: Rule, attempt: usize) -> bool {
        let rows = [self.wall(), self.cpu()].into_iter().flatten();
        rows.map(|arms| series(&arms, 1, 2)).any(|series| {
            if attempt == 1 {
                return gate::is_suspect(&series, rule);
            }
            let noisy = |finding| gate::is_noisy(&finding, rule);
            self.confirms && gate::find(&series, rule).is_some_and(noisy)
        })
    }

    /// The rounds of the wall-clock row.
    fn wall(&self) -> Option<Vec<&[Measured]>> {
        self.rounds.iter().map(|round| round.wall.as_deref()).collect()
    }

    fn cpu(&self) -> Option<Vec<&[Measured]>> {
        self.rounds.iter().map(|round| round.cpu.as_deref()).collect()
    }
}

/// Logarithms of the ratios to the first arm, of the arms `null` and `head`.
#[must_use]
pub fn series(rounds: &[&[Measured]], null: usize, head: usize) -> Series {
    let of = |arm: usize| rounds.iter().map(|arms| arms[arm].log_ratio).collect();
    Series { head: of(head), null: of(null) }
}

/// The rounds that `stage` wants of each workload, with its arms. A round of every workload comes before the second one
/// of any: what the machine does for a while is spread over all rows.
///
/// # Errors
///
/// As [`compare`].
pub fn look(
    workloads: &[&Workload],
    arms: &[Vec<Arm>],
    stage: Stage,
    path: &str,
    rng: &mut SplitMix64,
    progress: &dyn Fn(&str, usize, usize),
) -> Result<Vec<Vec<Round>>> {
    let mut taken = vec![Vec::with_capacity(stage.rounds()); workloads.len()];
    let total = stage.rounds() * workloads.len();
    for turn in 0..stage.rounds() {
        for (at, workload) in workloads.iter().enumerate() {
            progress(stage.name(), turn * workloads.len() + at, total);
            let plan = Plan { cycles: CYCLES, path, turn };
            taken[at].push(round(workload, &arms[at], plan, rng)?);
        }
    }
    Ok(taken)
}

fn judge(workloads: &[Workload], looks: &[Look], rule: Rule) -> Vec<TimingRow> {
    let mut found: Vec<(TimingRow, Finding)> = Vec::new();
    for (workload, look) in workloads.iter().zip(looks) {
        let unit = if workload.is_rate { TimingUnit::Rate } else { TimingUnit::Time };
        let rows =
            [(workload.wall, look.wall(), unit), (workload.cpu, look.cpu(), TimingUnit::Cpu)];
        for (id, rounds, unit) in rows {
            let (Some(id), Some(rounds)) = (id, rounds) else { continue };
            found.extend(row(id, unit, &rounds, look.confirms, rule));
        }
    }
    let findings: Vec<Finding> = found.iter().map(|(_, finding)| *finding).collect();
    let judged = gate::judge(&findings, rule);
    let rows = found.into_iter().zip(judged);
    rows.map(|((row, _), (verdict, p))| TimingRow { verdict, p, ..row }).collect()
}

/// A row that is not judged yet; `None` without rounds.
fn row(
    id: &str,
    unit: TimingUnit,
    rounds: &[&[Measured]],
    confirmed: bool,
    rule: Rule,
) -> Option<(TimingRow, Finding)> {
    let series = series(rounds, 1, 2);
    let finding = gate::find(&series, rule)?;
    let middle = |arm: usize| median(&rounds.iter().map(|arms| arms[arm].ns).collect::<Vec<_>>());
    let p99 = |arm: usize| -> Option<f64> {
        let all: Option<Vec<f64>> = rounds.iter().map(|arms| arms[arm].p99_ns).collect();
        median(&all?)
    };
    let row = TimingRow {
        id: id.to_owned(),
        unit,
        base_ns: middle(0)?,
        head_ns: middle(2)?,
        effect: finding.effect.exp_m1(),
        interval: finding.interval.map(f64::exp_m1),
        null: finding.null.exp_m1(),
        p: finding.p,
        detectable: finding.detectable.exp_m1(),
        p99_ns: p99(0).zip(p99(2)).map(|(base, head)| [base, head]),
        rounds: series.head.iter().map(|ratio| ratio.exp_m1()).collect(),
        confirmed,
        verdict: baselines::Verdict::Pass,
    };
    Some((row, finding))
}

#[cfg(test)]
mod tests;
