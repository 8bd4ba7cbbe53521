//! Paired timings of two programs: a screening of every row, then a confirmation, on fresh data, of the rows that may
//! have changed.

mod evidence;
mod stall;

use std::collections::BTreeMap;

use anyhow::Result;
use bench_kit::random::SplitMix64;

use super::gate::Rule;
use super::model::{Timing, TimingRow};
use super::round::{Arm, Round, RoundPlan, round};
use super::server_process::Program;
use super::talk::Talk;
use super::workload::{Workload, select};
use evidence::{CONFIRMATION_ROUNDS, Evidence, family, judge, screened};

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

/// Most confirmations of a row that is too noisy, each on fresh data.
const CONFIRMATIONS: usize = 3;

/// Chunks of each arm per round. More chunks sharpen a result less than more rounds do: most of the remaining noise
/// differs between processes, not between chunks.
const CYCLES: usize = 16;

/// Who is told how far a comparison is.
pub trait Watch {
    /// What is measured now, and how many of how many rounds are done.
    fn step(&self, what: &str, done: usize, of: usize);

    /// What the rounds until now say, in every turn. No verdict of these rows counts.
    fn so_far(&self, timing: Timing);
}

/// Compares two programs.
///
/// # Errors
///
/// If a server cannot be started, ends, or gives a wrong answer; if no row matches `options.only`.
pub fn compare(
    base: &Program,
    head: &Program,
    options: &Options,
    watch: &dyn Watch,
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
    let hints = |rows: &[TimingRow]| {
        let hint = |workload: &Workload| {
            let row = rows.iter().find(|row| Some(&row.id) == workload.wall.as_ref())?;
            Some((row.id.clone(), stall::hint(workload, row)?))
        };
        workloads.iter().filter_map(hint).collect()
    };
    let timing = |rows: Vec<TimingRow>, left_out| Timing {
        threshold: options.rule.threshold,
        called_from: options.rule.called_from().exp_m1(),
        confidence: options.rule.confidence,
        seed: options.seed,
        hints: hints(&rows),
        rows,
        left_out,
    };
    let mut known = vec![Vec::new(); workloads.len()];
    let rows = decide(&workloads, options.rule, |which, pass| {
        let chosen: Vec<&Workload> = which.iter().map(|at| &workloads[*at]).collect();
        let arms = vec![arms.to_vec(); which.len()];
        let progress = |what: &str, done, of| watch.step(what, done, of);
        take_rounds(&chosen, &arms, pass, &options.path, &mut rng, &progress, &mut |rounds| {
            keep(&mut known, which, rounds);
            watch.so_far(timing(preliminary(&workloads, &known, options.rule), BTreeMap::new()));
        })
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
    Ok(timing(rows, left_out))
}

/// Replaces rounds by those of a later pass, once they are as many.
fn keep(known: &mut [Vec<Round>], which: &[usize], rounds: &[Vec<Round>]) {
    for (at, rounds) in which.iter().zip(rounds) {
        if rounds.len() >= known[*at].len() {
            known[*at].clone_from(rounds);
        }
    }
}

/// The rows of some rounds, as if they were all.
fn preliminary(workloads: &[Workload], rounds: &[Vec<Round>], rule: Rule) -> Vec<TimingRow> {
    let evidence = screened(workloads, rounds.to_vec());
    judge(workloads, &evidence, rule, family(&evidence))
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
            Self::Confirmation(_) => "timing: confirming noisy rows again",
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
    let mut evidence = screened(workloads, take(&all, Pass::Screening)?);
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

/// Takes the rounds of a pass, with arms for each workload. Workloads take turns round by round, so that a disturbance
/// of the machine is spread over all rows. `turned` is told the rounds until now, after each round of all workloads.
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
    turned: &mut dyn FnMut(&[Vec<Round>]),
) -> Result<Vec<Vec<Round>>> {
    let mut rounds = vec![Vec::with_capacity(pass.rounds()); workloads.len()];
    let total = pass.rounds() * workloads.len();
    for turn in 0..pass.rounds() {
        for (at, workload) in workloads.iter().enumerate() {
            progress(pass.name(), turn * workloads.len() + at, total);
            let plan = RoundPlan { cycles: CYCLES, path, turn };
            rounds[at].push(round(workload, &arms[at], plan, rng)?);
        }
        turned(&rounds);
    }
    Ok(rounds)
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
