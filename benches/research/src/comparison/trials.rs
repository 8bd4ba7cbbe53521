//! Comparisons whose right answer is known: of a server with itself, and with slowed copies of itself.

use std::collections::BTreeMap;
use std::iter::zip;
use std::time::Instant;

use anyhow::Result;
use bench_kit::random::SplitMix64;
use bench_show::progress::Progress;
use compare::gate::Rule;
use compare::model::TimingRow;
use compare::round::{Arm, Round};
use compare::server_process::Program;
use compare::timing::{Pass, decide, take_rounds};
use compare::workload::{Workload, all};

use super::record::{Head, Record, Row};
use super::slowdown::{Slowdown, base_ns, flags};

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
    /// Whether `record` is one of these comparisons with this head, with every row that they have.
    pub(super) fn covers(&self, record: &Record, head: Head) -> bool {
        let mut ids = self.workloads.iter().flat_map(Workload::rows);
        let has = |id: &str| record.rows.iter().any(|row| row.id == id);
        record.head == head && record.busy == self.busy && ids.all(has)
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
        Ok(Record { seconds, ..self.record(Head::Same, &rows, |_| 0.0) })
    }

    /// As many comparisons without a slowdown as there are `heads`, which share their rounds.
    pub(super) fn same_together(
        &self,
        what: &str,
        heads: u32,
        rng: &mut SplitMix64,
    ) -> Result<Vec<Record>> {
        let arms = (0..heads as usize).map(|turn| arm("head", self.like(turn), Vec::new()));
        let arms: Vec<Arm> = arms.collect();
        let pairs: Vec<[usize; 2]> = (0..heads as usize).map(|head| [head; 2]).collect();
        let compared = self.together(what, &pairs, |_| arms.clone(), rng)?;
        let record = |rows: &Vec<TimingRow>| self.record(Head::Same, rows, |_| 0.0);
        let records = compared.iter().map(record);
        Ok(records.map(|record| Record { together: heads, ..record }).collect())
    }

    /// One comparison for each slowdown in `shares`; they share their rounds.
    pub(super) fn slowed(
        &self,
        what: &str,
        shares: &[f64],
        rng: &mut SplitMix64,
    ) -> Result<Vec<Record>> {
        let of_first = |workload: &Workload| {
            let is_cpu = workload.wall.is_none();
            shares.iter().map(|share| Slowdown { share: *share, is_cpu, ns: 0.0 }).collect()
        };
        let slowdowns = self.tuned(what, of_first, rng)?;
        let pairs: Vec<[usize; 2]> = (0..shares.len()).map(|head| [head; 2]).collect();
        let compared = self.together(what, &pairs, |at| self.heads(at, &slowdowns[at]), rng)?;
        let records = (0..).zip(shares).zip(&compared).map(|((head, share), rows)| {
            let injected = |row: &TimingRow| {
                let at = self.workload_of(&row.id);
                slowdowns[at][head].injected(&self.workloads[at], row)
            };
            self.record(Head::Slower(*share), rows, injected)
        });
        Ok(records.collect())
    }

    /// One comparison in which each row gets a head of its own, slower by what `seen` says of the row.
    pub(super) fn seen(
        &self,
        what: &str,
        seen: &BTreeMap<String, f64>,
        rng: &mut SplitMix64,
    ) -> Result<Record> {
        let share = |id: &str| seen.get(id).copied().unwrap_or_default();
        let of_rows = |workload: &Workload| {
            [(&workload.wall, false), (&workload.cpu, true)]
                .map(|(id, is_cpu)| Slowdown {
                    share: id.as_deref().map_or(0.0, share),
                    is_cpu,
                    ns: 0.0,
                })
                .to_vec()
        };
        let slowdowns = self.tuned(what, of_rows, rng)?;
        let compared = self.together(what, &[[0, 1]], |at| self.heads(at, &slowdowns[at]), rng)?;
        let injected = |row: &TimingRow| {
            let at = self.workload_of(&row.id);
            let workload = &self.workloads[at];
            slowdowns[at][usize::from(workload.cpu.as_ref() == Some(&row.id))]
                .injected(workload, row)
        };
        Ok(self.record(Head::Seen, &compared[0], injected))
    }

    /// One comparison for each pair of heads, the first for wall-clock time and the second for processor time. All use
    /// the same rounds, with the same base and copy; each is judged alone. `heads` makes the heads of a workload.
    fn together(
        &self,
        what: &str,
        pairs: &[[usize; 2]],
        heads: impl Fn(usize) -> Vec<Arm>,
        rng: &mut SplitMix64,
    ) -> Result<Vec<Vec<TimingRow>>> {
        let arms = |workload: usize| self.base().into_iter().chain(heads(workload)).collect();
        let mut taken: BTreeMap<(Pass, usize), Vec<Round>> = BTreeMap::new();
        let compared = pairs.iter().map(|pair| {
            decide(&self.workloads, self.rule, |which, pass| {
                let missing: Vec<usize> =
                    which.iter().copied().filter(|at| !taken.contains_key(&(pass, *at))).collect();
                let rounds = self.take_rounds(what, &missing, pass, arms, rng)?;
                taken.extend(zip(missing.into_iter().map(|at| (pass, at)), rounds));
                let of_pair = |at: &usize| {
                    let rounds = taken[&(pass, *at)].iter();
                    rounds.map(|round| round.of_heads(*pair)).collect()
                };
                Ok(which.iter().map(of_pair).collect())
            })
        });
        compared.collect()
    }

    /// The slowdowns of each workload with their loops.
    fn tuned(
        &self,
        what: &str,
        slowdowns: impl Fn(&Workload) -> Vec<Slowdown>,
        rng: &mut SplitMix64,
    ) -> Result<Vec<Vec<Slowdown>>> {
        let mut slowdowns: Vec<Vec<Slowdown>> = self.workloads.iter().map(slowdowns).collect();
        // With as many servers as later, which compete for the same caches.
        let plain = self.measure(what, &slowdowns, |_| true, rng)?;
        for (of_workload, rounds) in zip(&mut slowdowns, &plain) {
            for slowdown in of_workload {
                slowdown.ns = slowdown.share * base_ns(rounds, slowdown.is_cpu);
            }
        }
        let tried = self.measure(what, &slowdowns, Slowdown::overlaps, rng)?;
        for ((workload, of_workload), rounds) in zip(&self.workloads, &mut slowdowns).zip(&tried) {
            for (head, slowdown) in of_workload.iter_mut().enumerate() {
                slowdown.correct(workload, head, rounds);
            }
        }
        Ok(slowdowns)
    }

    /// Rounds of the workloads that `wanted` selects, with their slowdowns; none of the others.
    fn measure(
        &self,
        what: &str,
        slowdowns: &[Vec<Slowdown>],
        wanted: impl Fn(&Workload) -> bool,
        rng: &mut SplitMix64,
    ) -> Result<Vec<Vec<Round>>> {
        let which = (0..self.workloads.len()).filter(|at| wanted(&self.workloads[*at]));
        let which: Vec<usize> = which.collect();
        let arms =
            |at: usize| self.base().into_iter().chain(self.heads(at, &slowdowns[at])).collect();
        let rounds = self.take_rounds(what, &which, Pass::Screening, arms, rng)?;
        let mut all = vec![Vec::new(); self.workloads.len()];
        zip(which, rounds).for_each(|(at, rounds)| all[at] = rounds);
        Ok(all)
    }

    fn base(&self) -> [Arm; 2] {
        ["base", "base's copy"].map(|name| arm(name, &self.server, Vec::new()))
    }

    fn like(&self, turn: usize) -> &Program {
        &self.like[turn % self.like.len()]
    }

    fn heads(&self, workload: usize, slowdowns: &[Slowdown]) -> Vec<Arm> {
        let flags = |slowdown: &Slowdown| flags(&self.workloads[workload], slowdown.ns);
        slowdowns.iter().map(|one| arm("head, slowed", &self.server, flags(one))).collect()
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
        take_rounds(&workloads, &arms, pass, "/ws/echo", rng, &progress, &mut |_| {})
    }

    fn record(
        &self,
        head: Head,
        rows: &[TimingRow],
        injected: impl Fn(&TimingRow) -> f64,
    ) -> Record {
        let workload = |id: &str| {
            // Numbered among all workloads, so that records of a selection add to those of all.
            all().iter().position(|workload| has(workload, id)).unwrap_or(usize::MAX)
        };
        let rows = rows.iter().map(|row| Row::new(row, workload(&row.id), injected(row))).collect();
        Record { head, busy: self.busy, together: 1, seconds: 0.0, rows }
    }

    fn workload_of(&self, id: &str) -> usize {
        let at = self.workloads.iter().position(|workload| has(workload, id));
        at.expect("invariant: rows come from the workloads")
    }
}

fn has(workload: &Workload, id: &str) -> bool {
    workload.rows().any(|row| row == id)
}

fn arm(name: &str, program: &Program, flags: Vec<String>) -> Arm {
    Arm { name: name.to_owned(), program: program.clone(), flags }
}
