use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::iter::zip;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use bench_kit::random::SplitMix64;
use bench_kit::spinners::Spinners;
use bench_kit::statistics::median;
use compare::calibration::{Record, Row, markdown, svg};
use compare::cleanup;
use compare::gate::Rule;
use compare::model::TimingRow;
use compare::round::{Arm, BASE, HEAD, Round};
use compare::server_process::Program;
use compare::timing::{Pass, decide, take_rounds};
use compare::workload::{Workload, all, select};

use crate::progress::Progress;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The server's example `slowed`; scripts/calibrate.sh builds it as `compare` would build a server
    #[arg(long, value_name = "FILE")]
    server: PathBuf,
    /// Another build of the same code, to be head where base is not slowed; may be given again, and they take turns
    #[arg(long, value_name = "FILE")]
    like: Vec<PathBuf>,
    /// Comparisons where nothing is slower; 0 takes none
    #[arg(long, value_name = "N", default_value_t = 200)]
    same: usize,
    /// Of these, how many have base and its copy in common: quicker, and less independent
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=8))]
    together: u32,
    /// Comparisons with each slowdown; 0 takes none
    #[arg(long, value_name = "N", default_value_t = 100)]
    slowed: usize,
    /// Slowdowns, in percent of what an operation costs
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', default_value = "1,2,3,5,10", value_parser = crate::flags::percent)]
    slower: Vec<f64>,
    /// Processors that are kept busy meanwhile
    #[arg(long, value_name = "N", default_value_t = 0)]
    busy: u32,
    /// Rows whose id contains this; may be given again
    #[arg(long, value_name = "FILTER")]
    only: Vec<String>,
    /// Change that must be seen, in percent
    #[arg(long, value_name = "PERCENT", default_value = "3", value_parser = crate::flags::percent)]
    threshold: f64,
    /// Seed of all orders
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Every comparison as it ends, a line of JSON each; what is there already counts, so that an interrupted run goes on
    #[arg(long, value_name = "FILE", default_value = "target/calibration.jsonl")]
    records: PathBuf,
    /// The document to write; its drawing lies beside it
    #[arg(long, value_name = "FILE", default_value = "benches/CALIBRATION.md")]
    document: PathBuf,
}

/// What made the document: several commands, each adding to the records.
const COMMAND: &str = "scripts/calibrate.sh";

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let program = |path: &PathBuf| -> Result<Program> {
        ensure!(path.is_file(), "there is no {}; {COMMAND} builds it", path.display());
        Ok(Program::Server(path.canonicalize()?))
    };
    let server = program(&args.server)?;
    let like: Vec<Program> = args.like.iter().map(program).collect::<Result<_>>()?;
    cleanup::install()?;
    let mut records = load(&args.records)?;
    let mut journal = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&args.records)
        .with_context(|| format!("cannot write {}", args.records.display()))?;
    let calibration = Calibration {
        like: if like.is_empty() { vec![server.clone()] } else { like },
        server,
        workloads: select(&args.only, false)?.workloads,
        rule: Rule::with_threshold(args.threshold),
        progress: Progress::new(),
    };
    let _busy = Spinners::neighbours(args.busy);
    let count = |records: &[Record], slower: f64| {
        let like = |record: &&Record| {
            (record.slower, record.busy) == (slower, args.busy) && calibration.is_of(record)
        };
        records.iter().filter(like).count()
    };
    while count(&records, 0.0) < args.same {
        let done = count(&records, 0.0);
        let mut rng = SplitMix64::new(args.seed ^ ((done as u64) << 32) ^ u64::from(args.busy));
        let what = format!("nothing slower, {} of {}", done + 1, args.same);
        let taken = match args.together {
            1 => vec![calibration.same(&what, done, &mut rng)?],
            several => calibration.same_together(&what, several as usize, &mut rng)?,
        };
        for record in taken {
            let record = Record { busy: args.busy, together: args.together, ..record };
            keep(&mut journal, &mut records, record)?;
        }
    }
    let shares = &args.slower;
    let least = |records: &[Record]| shares.iter().map(|share| count(records, *share)).min();
    while let Some(done) = least(&records).filter(|done| *done < args.slowed) {
        let mut rng = SplitMix64::new(!args.seed ^ ((done as u64) << 32));
        let what = format!("slowed programs, {} of {}", done + 1, args.slowed);
        for record in calibration.slowed(&what, shares, &mut rng)? {
            keep(&mut journal, &mut records, Record { busy: args.busy, ..record })?;
        }
    }
    calibration.progress.clear();
    write(args, &records)?;
    Ok(ExitCode::SUCCESS)
}

fn write(args: &Args, records: &[Record]) -> Result<()> {
    let drawing = args.document.with_extension("svg");
    let name = drawing.file_name().unwrap_or_default().to_string_lossy();
    let write = |path: &Path, text: &str| {
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    write(&drawing, &svg(records, args.threshold))?;
    write(&args.document, &markdown(records, args.threshold, COMMAND, args.like.len(), &name))?;
    eprintln!("written: {} and {}", args.document.display(), drawing.display());
    Ok(())
}

fn load(path: &Path) -> Result<Vec<Record>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.with_context(|| format!("cannot read {}", path.display()))?,
    };
    (1..)
        .zip(text.lines())
        .map(|(number, line)| {
            serde_json::from_str(line).with_context(|| {
                format!("{} line {number} is no record; remove the file", path.display())
            })
        })
        .collect()
}

fn keep(journal: &mut File, records: &mut Vec<Record>, record: Record) -> Result<()> {
    let mut line = serde_json::to_string(&record)?;
    line.push('\n');
    journal.write_all(line.as_bytes()).context("cannot keep a record; look with df -h")?;
    records.push(record);
    Ok(())
}

struct Calibration {
    server: Program,
    /// What is head where nothing is slowed, in turn.
    like: Vec<Program>,
    workloads: Vec<Workload>,
    rule: Rule,
    progress: Progress,
}

impl Calibration {
    fn base(&self) -> [Arm; 2] {
        ["base", "base's copy"].map(|name| arm(name, &self.server, Vec::new()))
    }

    fn like(&self, turn: usize) -> &Program {
        &self.like[turn % self.like.len()]
    }

    /// Whether `record` has rows of all that is being calibrated.
    fn is_of(&self, record: &Record) -> bool {
        let rows = self.workloads.iter().flat_map(|workload| [workload.wall, workload.cpu]);
        rows.flatten().all(|id| record.rows.iter().any(|row| row.id == id))
    }

    /// A comparison as `compare` makes it, of a program with its like.
    fn same(&self, what: &str, turn: usize, rng: &mut SplitMix64) -> Result<Record> {
        let [base, copy] = self.base();
        let arms = [base, copy, arm("head", self.like(turn), Vec::new())];
        let begin = Instant::now();
        let rows = decide(&self.workloads, self.rule, |which, pass| {
            self.take_rounds(what, which, pass, |_| arms.to_vec(), rng)
        })?;
        Ok(self.record(0.0, begin.elapsed().as_secs_f64(), &rows))
    }

    /// As many comparisons of a program with its likes.
    fn same_together(
        &self,
        what: &str,
        several: usize,
        rng: &mut SplitMix64,
    ) -> Result<Vec<Record>> {
        let heads = |_| (0..several).map(|turn| arm("head", self.like(turn), Vec::new())).collect();
        self.together(what, &vec![0.0; several], heads, rng)
    }

    /// One comparison for each share.
    fn slowed(&self, what: &str, shares: &[f64], rng: &mut SplitMix64) -> Result<Vec<Record>> {
        let loops = self.loops(what, shares, rng)?;
        self.together(what, shares, |at| self.heads(at, &loops[at]), rng)
    }

    /// One comparison for each share, that is of each head. They have their rounds, base and its copy in common; each is
    /// judged alone.
    fn together(
        &self,
        what: &str,
        shares: &[f64],
        heads: impl Fn(usize) -> Vec<Arm>,
        rng: &mut SplitMix64,
    ) -> Result<Vec<Record>> {
        let arms = |at: usize| self.base().into_iter().chain(heads(at)).collect();
        let mut taken: Vec<(Pass, usize, Vec<Round>)> = Vec::new();
        let mut records = Vec::with_capacity(shares.len());
        for (at, share) in shares.iter().enumerate() {
            let rows = decide(&self.workloads, self.rule, |which, pass| {
                let known = |workload: &usize| {
                    taken.iter().any(|(at, of, _)| (*at, *of) == (pass, *workload))
                };
                let fresh: Vec<usize> =
                    which.iter().copied().filter(|workload| !known(workload)).collect();
                let rounds = self.take_rounds(what, &fresh, pass, arms, rng)?;
                taken.extend(fresh.iter().zip(rounds).map(|(of, rounds)| (pass, *of, rounds)));
                let of = |workload: &usize| {
                    let all = taken.iter().find(|(at, of, _)| (*at, *of) == (pass, *workload));
                    let all = all.into_iter().flat_map(|(_, _, rounds)| rounds);
                    all.map(|round| round.of_head(at)).collect()
                };
                Ok(which.iter().map(of).collect())
            })?;
            records.push(self.record(*share, 0.0, &rows));
        }
        Ok(records)
    }

    /// For each workload the loops, in nanoseconds, that make an operation each of `shares` slower. By the clock on the
    /// wall a loop costs less than it lasts, because something else is done meanwhile, so it is tried first.
    fn loops(&self, what: &str, shares: &[f64], rng: &mut SplitMix64) -> Result<Vec<Vec<f64>>> {
        let mut trial = |loops: &[Vec<f64>]| {
            let arms =
                |at: usize| self.base().into_iter().chain(self.heads(at, &loops[at])).collect();
            self.take_rounds(what, &self.every(), Pass::Screening, arms, rng)
        };
        // As many servers want the caches then as do later.
        let plain = trial(&vec![vec![0.0; shares.len()]; self.workloads.len()])?;
        let costs: Vec<f64> = zip(&self.workloads, &plain)
            .map(|(workload, rounds)| operation_ns(rounds) * workload.slowed_at_once())
            .collect();
        let mut loops: Vec<Vec<f64>> =
            costs.iter().map(|cost| shares.iter().map(|share| share * cost).collect()).collect();
        let tried = trial(&loops)?;
        for ((loops, cost), rounds) in loops.iter_mut().zip(&costs).zip(&tried) {
            for (at, (spin, share)) in zip(loops, shares).enumerate() {
                let wall = rounds.iter().filter_map(|round| round.wall.as_ref());
                let slower: Vec<f64> =
                    wall.map(|arms| arms[HEAD + at].log_ratio.exp_m1()).collect();
                let missing = median(&slower).map_or(0.0, |slower| share - slower);
                *spin = (*spin + missing * cost).max(0.0);
            }
        }
        Ok(loops)
    }

    fn heads(&self, at: usize, loops: &[f64]) -> Vec<Arm> {
        let flags =
            |spin: &f64| vec![self.workloads[at].slow_flag.to_owned(), format!("{spin:.0}")];
        loops.iter().map(|spin| arm("head, slowed", &self.server, flags(spin))).collect()
    }

    fn every(&self) -> Vec<usize> {
        (0..self.workloads.len()).collect()
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

    fn record(&self, slower: f64, seconds: f64, rows: &[TimingRow]) -> Record {
        let workload = |id: &str| {
            let has = |workload: &Workload| [workload.wall, workload.cpu].contains(&Some(id));
            // Of all, so that records of some of them can be added to those of others.
            all().iter().position(has).unwrap_or(usize::MAX)
        };
        let rows = rows.iter().map(|row| Row::new(row, workload(&row.id))).collect();
        Record { slower, busy: 0, together: 1, seconds, rows }
    }
}

fn arm(name: &str, program: &Program, flags: Vec<String>) -> Arm {
    Arm { name: name.to_owned(), program: program.clone(), flags }
}

/// Nanoseconds of an operation of the first arm: by the clock on the wall where that is a row, else the server's own.
fn operation_ns(rounds: &[Round]) -> f64 {
    let first =
        |round: &Round| round.wall.as_ref().or(round.cpu.as_ref()).map(|arms| arms[BASE].ns);
    median(&rounds.iter().filter_map(first).collect::<Vec<_>>()).unwrap_or_default()
}
