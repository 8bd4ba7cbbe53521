//! Comparisons whose right answer is known: of a server with itself, and with slowed copies of itself.

use std::collections::BTreeMap;
use std::iter::zip;
use std::time::Instant;

use anyhow::Result;
use bench_kit::random::SplitMix64;
use bench_kit::statistics::median;
use bench_show::progress::Progress;
use compare::gate::Rule;
use compare::model::TimingRow;
use compare::round::{Arm, BASE, HEAD, Round};
use compare::server_process::Program;
use compare::timing::{Pass, decide, take_rounds};
use compare::workload::{Traffic, Workload, all};

use super::record::{Record, Row};

pub(super) struct Trials {
    pub(super) server: Program,
    /// Programs that take turns as head where nothing is slowed; at least one.
    pub(super) like: Vec<Program>,
    pub(super) workloads: Vec<Workload>,
    pub(super) rule: Rule,
    /// Processors that spinning threads keep busy.
    pub(super) busy: u32,
    pub(super) progress: Progress,
}

impl Trials {
    /// Whether `record` is one of these comparisons at this slowdown, with every row that they have.
    pub(super) fn covers(&self, record: &Record, slower: f64) -> bool {
        let ids = self.workloads.iter().flat_map(|workload| [workload.wall, workload.cpu]);
        let has = |id: &str| record.rows.iter().any(|row| row.id == id);
        record.slower == slower && record.busy == self.busy && ids.flatten().all(has)
    }

    /// One comparison as a user makes it, without a slowdown. `turn` selects the program that is head.
    pub(super) fn same(&self, what: &str, turn: usize, rng: &mut SplitMix64) -> Result<Record> {
        let [base, copy] = self.base();
        let arms = [base, copy, arm("head", self.like(turn), Vec::new())];
        let begin = Instant::now();
        let rows = decide(&self.workloads, self.rule, |which, pass| {
            self.take_rounds(what, which, pass, |_| arms.to_vec(), rng)
        })?;
        let seconds = begin.elapsed().as_secs_f64();
        Ok(Record { seconds, ..self.record(0.0, &rows) })
    }

    /// As many comparisons without a slowdown as there are `heads`, which share their rounds.
    pub(super) fn same_together(
        &self,
        what: &str,
        heads: u32,
        rng: &mut SplitMix64,
    ) -> Result<Vec<Record>> {
        let arms = |_| (0..heads as usize).map(|turn| arm("head", self.like(turn), Vec::new()));
        let records =
            self.together(what, &vec![0.0; heads as usize], |at| arms(at).collect(), rng)?;
        Ok(records.into_iter().map(|record| Record { together: heads, ..record }).collect())
    }

    /// One comparison for each slowdown in `shares`; they share their rounds.
    pub(super) fn slowed(
        &self,
        what: &str,
        shares: &[f64],
        rng: &mut SplitMix64,
    ) -> Result<Vec<Record>> {
        let loops = self.loops(what, shares, rng)?;
        self.together(what, shares, |workload| self.slowed_heads(workload, &loops[workload]), rng)
    }

    /// One comparison for each head, slowed by its entry of `shares`. All use the same rounds, with the same base and
    /// copy; each is judged alone. `heads` makes the heads of a workload.
    fn together(
        &self,
        what: &str,
        shares: &[f64],
        heads: impl Fn(usize) -> Vec<Arm>,
        rng: &mut SplitMix64,
    ) -> Result<Vec<Record>> {
        let arms = |workload: usize| self.base().into_iter().chain(heads(workload)).collect();
        let mut taken: BTreeMap<(Pass, usize), Vec<Round>> = BTreeMap::new();
        let mut records = Vec::with_capacity(shares.len());
        for (head, share) in shares.iter().enumerate() {
            let rows = decide(&self.workloads, self.rule, |which, pass| {
                let missing: Vec<usize> =
                    which.iter().copied().filter(|at| !taken.contains_key(&(pass, *at))).collect();
                let rounds = self.take_rounds(what, &missing, pass, arms, rng)?;
                taken.extend(zip(missing.into_iter().map(|at| (pass, at)), rounds));
                let of_head = |at: &usize| {
                    let rounds = taken[&(pass, *at)].iter();
                    rounds.map(|round| round.of_head(head)).collect()
                };
                Ok(which.iter().map(of_head).collect())
            })?;
            records.push(self.record(*share, &rows));
        }
        Ok(records)
    }

    /// Nanoseconds that each workload's server must spin per operation to be slower by each of `shares`.
    ///
    /// A loop costs less wall-clock time than it spins, because other work overlaps with it. So the first estimate is
    /// measured once and corrected by what it missed.
    fn loops(&self, what: &str, shares: &[f64], rng: &mut SplitMix64) -> Result<Vec<Vec<f64>>> {
        let mut measure = |loops: &[Vec<f64>]| {
            let heads = |at: usize| self.slowed_heads(at, &loops[at]);
            let arms = |at: usize| self.base().into_iter().chain(heads(at)).collect();
            let every: Vec<usize> = (0..self.workloads.len()).collect();
            self.take_rounds(what, &every, Pass::Screening, arms, rng)
        };
        // With as many servers as later, which compete for the same caches.
        let plain = measure(&vec![vec![0.0; shares.len()]; self.workloads.len()])?;
        let costs: Vec<f64> = zip(&self.workloads, &plain)
            .map(|(workload, rounds)| operation_ns(rounds) * slowing(workload).1)
            .collect();
        let mut loops: Vec<Vec<f64>> =
            costs.iter().map(|cost| shares.iter().map(|share| share * cost).collect()).collect();
        let tried = measure(&loops)?;
        for ((loops, cost), rounds) in zip(&mut loops, &costs).zip(&tried) {
            for (head, (spin, share)) in zip(loops, shares).enumerate() {
                let wall = rounds.iter().filter_map(|round| round.wall.as_ref());
                let slower = wall.map(|arms| arms[HEAD + head].log_ratio.exp_m1());
                let slower = median(&slower.collect::<Vec<_>>());
                let missed = slower.map_or(0.0, |slower| share - slower);
                *spin = (*spin + missed * cost).max(0.0);
            }
        }
        Ok(loops)
    }

    fn base(&self) -> [Arm; 2] {
        ["base", "base's copy"].map(|name| arm(name, &self.server, Vec::new()))
    }

    fn like(&self, turn: usize) -> &Program {
        &self.like[turn % self.like.len()]
    }

    fn slowed_heads(&self, workload: usize, loops: &[f64]) -> Vec<Arm> {
        let (flag, _) = slowing(&self.workloads[workload]);
        let flags = |spin: &f64| vec![flag.to_owned(), format!("{spin:.0}")];
        loops.iter().map(|spin| arm("head, slowed", &self.server, flags(spin))).collect()
    }

    fn take_rounds(
        &self,
        what: &str,
        which: &[usize],
        pass: Pass,
        arms: impl Fn(usize) -> Vec<Arm>,
        rng: &mut SplitMix64,
    ) -> Result<Vec<Vec<Round>>> {
        let workloads: Vec<&Workload> = which.iter().map(|at| &self.workloads[*at]).collect();
        let arms: Vec<Vec<Arm>> = which.iter().map(|at| arms(*at)).collect();
        let progress = |_: &str, done: usize, of: usize| self.progress.step(what, done, of);
        take_rounds(&workloads, &arms, pass, "/ws/echo", rng, &progress)
    }

    fn record(&self, slower: f64, rows: &[TimingRow]) -> Record {
        let workload = |id: &str| {
            let has = |workload: &Workload| [workload.wall, workload.cpu].contains(&Some(id));
            // Numbered among all workloads, so that records of a selection add to those of all.
            all().iter().position(has).unwrap_or(usize::MAX)
        };
        let rows = rows.iter().map(|row| Row::new(row, workload(&row.id))).collect();
        Record { slower, busy: self.busy, together: 1, seconds: 0.0, rows }
    }
}

fn arm(name: &str, program: &Program, flags: Vec<String>) -> Arm {
    Arm { name: name.to_owned(), program: program.clone(), flags }
}

/// The flag of the example `slowed` that slows a workload, and the number of operations that one loop slows.
fn slowing(workload: &Workload) -> (&'static str, f64) {
    match workload.traffic {
        Traffic::Echo { depth, .. } => ("--slow-batch-ns", depth as f64),
        Traffic::Connect => ("--slow-connection-ns", 1.0),
        Traffic::Dashboard { .. } => ("--slow-batch-ns", 1.0),
    }
}

/// Nanoseconds per operation of base: wall-clock time if the workload has such a row, else processor time.
fn operation_ns(rounds: &[Round]) -> f64 {
    let base = rounds.iter().filter_map(|round| round.wall.as_ref().or(round.cpu.as_ref()));
    median(&base.map(|arms| arms[BASE].ns).collect::<Vec<_>>()).unwrap_or_default()
}
