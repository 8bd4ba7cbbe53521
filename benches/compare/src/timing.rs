//! Paired timings of two programs: a screening of every row, then a confirmation, on fresh data, of the rows that may
//! have changed.

mod stall;

use std::collections::BTreeMap;

use anyhow::Result;
use bench_kit::random::SplitMix64;
use bench_kit::statistics::median;

use super::gate::{self, Family, Finding, Rule, Series};
use super::model::{Timing, TimingRow, TimingUnit};
use super::round::{Arm, BASE, CONTROL, HEAD, Measured, Round, RoundPlan, round};
use super::server_process::Program;
use super::talk::Talk;
use super::workload::{Workload, select};

/// Options of a timing comparison.
#[derive(Clone, Debug)]
pub struct Options {
    /// What counts as a change.
    pub rule: Rule,
    /// The path that servers echo on or talk on, `/ws/echo` for a `ws-server`.
    pub path: String,
    /// What servers are asked instead of an echo.
    pub talk: Option<Talk>,
    /// Measure only rows whose id contains one of these; empty for all rows.
    pub only: Vec<String>,
    /// Seed of every random order.
    pub seed: u64,
}

/// Rounds of a screening. Eight are the fewest that reach a confidence of 99 %.
const SCREENING_ROUNDS: usize = 10;

/// Rounds of a confirmation, which uses no data of the screening.
const CONFIRMATION_ROUNDS: usize = 30;

/// Most confirmations of a row that is too noisy, each on fresh data.
const CONFIRMATIONS: usize = 3;

/// Chunks of each arm per round. More chunks sharpen a result less than more rounds do: most of the remaining noise
/// differs between processes, not between chunks.
const CYCLES: usize = 16;

/// Compares two programs. `progress` is told the current step, and how many of how many rounds are done.
///
/// # Errors
///
/// If a server cannot be started, ends, or gives a wrong answer; if no row matches `options.only`.
pub fn compare(
    base: &Program,
    head: &Program,
    options: &Options,
    progress: &dyn Fn(&str, usize, usize),
) -> Result<Timing> {
    // At BASE, CONTROL and HEAD.
    let arms = [("base", base), ("base's copy", base), ("head", head)].map(|(name, program)| Arm {
        name: name.to_owned(),
        program: program.clone(),
        flags: Vec::new(),
    });
    let is_ws_server = [base, head].iter().all(|program| matches!(program, Program::Server(_)));
    let workloads = select(&options.only, is_ws_server, options.talk.as_ref())?;
    let mut left_out = BTreeMap::new();
    let mut rng = SplitMix64::new(options.seed);
    let rows = decide(&workloads, options.rule, |which, pass| {
        let which: Vec<&Workload> = which.iter().map(|at| &workloads[*at]).collect();
        let arms = vec![arms.to_vec(); which.len()];
        take_rounds(&which, &arms, pass, &options.path, &mut rng, progress)
    })?;
    for workload in &workloads {
        let is_missing = |id: &&String| !rows.iter().any(|row| row.id == **id);
        // A wall clock has a result in every round.
        let why = match workload.wall.as_ref().filter(is_missing) {
            Some(_) => stall::WHY,
            None => {
                "a server's processor time stood still; a process that the command starts later may serve"
            }
        };
        let ids = [&workload.wall, &workload.cpu].into_iter().flatten().filter(is_missing);
        left_out.extend(ids.map(|id| (id.clone(), why.to_owned())));
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

/// A pass over some of the workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pass {
    /// The first one, over all workloads.
    Screening,
    /// A longer one on fresh data, with its number from 1.
    Confirmation(usize),
}

impl Pass {
    fn rounds(self) -> usize {
        match self {
            Self::Screening => SCREENING_ROUNDS,
            Self::Confirmation(_) => CONFIRMATION_ROUNDS,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Screening => "timing: screening all rows",
            Self::Confirmation(1) => "timing: confirming what may have changed",
            Self::Confirmation(_) => "timing: confirming again, it was too noisy",
        }
    }
}

/// Judges every row of `workloads`. `take` gets positions in `workloads` and a pass, and returns the rounds of each,
/// with one head.
///
/// # Errors
///
/// Any error of `take`.
pub fn decide(
    workloads: &[Workload],
    rule: Rule,
    mut take: impl FnMut(&[usize], Pass) -> Result<Vec<Vec<Round>>>,
) -> Result<Vec<TimingRow>> {
    let all: Vec<usize> = (0..workloads.len()).collect();
    let screened = take(&all, Pass::Screening)?;
    let evidence = screened.into_iter().zip(workloads).map(|(rounds, workload)| {
        let waits = stall::waits(workload, &rounds);
        let rounds = if waits { stall::without_results(rounds) } else { rounds };
        Evidence { rounds, confirmed: false }
    });
    let mut evidence: Vec<Evidence> = evidence.collect();
    let family = family(&evidence);
    for number in 1..=CONFIRMATIONS {
        let needs = |at: &usize| evidence[*at].needs(number, rule, family);
        let again: Vec<usize> = all.iter().copied().filter(needs).collect();
        if again.is_empty() {
            break;
        }
        let fresh = take(&again, Pass::Confirmation(number))?;
        for (at, rounds) in again.into_iter().zip(fresh) {
            evidence[at] = Evidence { rounds, confirmed: true };
        }
    }
    Ok(judge(workloads, &evidence, rule, family))
}

/// As many rows as have rounds.
fn family(evidence: &[Evidence]) -> Family {
    let rows = evidence.iter().flat_map(|one| [one.wall(), one.cpu()]).flatten().count();
    Family { rows, rounds: CONFIRMATION_ROUNDS }
}

/// The rounds of one workload that its verdicts rest on.
#[derive(Debug)]
struct Evidence {
    rounds: Vec<Round>,
    /// Whether the rounds were taken after a screening.
    confirmed: bool,
}

impl Evidence {
    /// Whether a row needs confirmation `number`: the first one if it is suspect, the others if it is noisy, whatever
    /// its estimate: whether to look again must not depend on what was found.
    fn needs(&self, number: usize, rule: Rule, family: Family) -> bool {
        [self.wall(), self.cpu()].into_iter().flatten().any(|arms| {
            let series = series(&arms);
            if number == 1 {
                return gate::is_suspect(&series, rule, family);
            }
            let noisy = |finding| gate::is_noisy(&finding, rule);
            self.confirmed && gate::find(&series, rule, family).is_some_and(noisy)
        })
    }

    fn wall(&self) -> Option<Vec<&[Measured]>> {
        self.rounds.iter().map(|round| round.wall.as_deref()).collect()
    }

    fn cpu(&self) -> Option<Vec<&[Measured]>> {
        self.rounds.iter().map(|round| round.cpu.as_deref()).collect()
    }
}

fn series(rounds: &[&[Measured]]) -> Series {
    let of = |arm: usize| rounds.iter().map(|arms| arms[arm].log_ratio).collect();
    Series { head: of(HEAD), null: of(CONTROL) }
}

/// Takes the rounds of a pass, with arms for each workload. Workloads take turns round by round, so that a disturbance
/// of the machine is spread over all rows.
///
/// # Errors
///
/// If a server cannot be started, ends, or gives a wrong answer.
pub fn take_rounds(
    workloads: &[&Workload],
    arms: &[Vec<Arm>],
    pass: Pass,
    path: &str,
    rng: &mut SplitMix64,
    progress: &dyn Fn(&str, usize, usize),
) -> Result<Vec<Vec<Round>>> {
    let mut rounds = vec![Vec::with_capacity(pass.rounds()); workloads.len()];
    let total = pass.rounds() * workloads.len();
    for turn in 0..pass.rounds() {
        for (at, workload) in workloads.iter().enumerate() {
            progress(pass.name(), turn * workloads.len() + at, total);
            let plan = RoundPlan { cycles: CYCLES, path, turn };
            rounds[at].push(round(workload, &arms[at], plan, rng)?);
        }
    }
    Ok(rounds)
}

fn judge(
    workloads: &[Workload],
    evidence: &[Evidence],
    rule: Rule,
    family: Family,
) -> Vec<TimingRow> {
    let mut found: Vec<(TimingRow, Finding)> = Vec::new();
    for (workload, evidence) in workloads.iter().zip(evidence) {
        let unit = if workload.is_rate { TimingUnit::Rate } else { TimingUnit::Time };
        let rows = [
            (&workload.wall, evidence.wall(), unit),
            (&workload.cpu, evidence.cpu(), TimingUnit::Cpu),
        ];
        for (id, rounds, unit) in rows {
            let (Some(id), Some(rounds)) = (id, rounds) else { continue };
            found.extend(row(id, unit, &rounds, evidence.confirmed, |series| {
                gate::find(series, rule, family)
            }));
        }
    }
    let findings: Vec<Finding> = found.iter().map(|(_, finding)| *finding).collect();
    let judged = gate::judge(&findings, rule);
    let rows = found.into_iter().zip(judged);
    rows.map(|((row, _), (verdict, p))| TimingRow { verdict, p, ..row }).collect()
}

/// A row whose verdict is not decided yet; `None` without rounds.
fn row(
    id: &str,
    unit: TimingUnit,
    rounds: &[&[Measured]],
    confirmed: bool,
    find: impl Fn(&Series) -> Option<Finding>,
) -> Option<(TimingRow, Finding)> {
    let series = series(rounds);
    let finding = find(&series)?;
    let middle = |arm: usize| median(&rounds.iter().map(|arms| arms[arm].ns).collect::<Vec<_>>());
    let p99 = |arm: usize| -> Option<f64> {
        let all: Option<Vec<f64>> = rounds.iter().map(|arms| arms[arm].p99_ns).collect();
        median(&all?)
    };
    let row = TimingRow {
        id: id.to_owned(),
        unit,
        base_ns: middle(BASE)?,
        head_ns: middle(HEAD)?,
        effect: finding.effect.exp_m1(),
        interval: finding.interval.map(f64::exp_m1),
        null: finding.null.exp_m1(),
        p: finding.p,
        detectable: finding.detectable.exp_m1(),
        p99_ns: p99(BASE).zip(p99(HEAD)).map(|(base, head)| [base, head]),
        rounds: series.head.iter().map(|ratio| ratio.exp_m1()).collect(),
        confirmed,
        verdict: baselines::Verdict::Pass,
    };
    Some((row, finding))
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
