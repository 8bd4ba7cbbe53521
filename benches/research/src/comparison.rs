//! Calibrates the timing gate of `ws-compare`: comparisons whose right answer is known, kept as records, and the
//! document that sums them up.

mod curve;
mod document;
mod figures;
mod record;
mod slowdown;
#[cfg(test)]
mod tests;
mod trials;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use bench_kit::random::SplitMix64;
use bench_kit::spinners::Spinners;
use bench_show::progress::Progress;
use compare::cleanup;
use compare::flags::percent;
use compare::gate::Rule;
use compare::server_process::Program;
use compare::workload::select;

use super::journal::Journal;
use figures::alarms;
use record::{Head, Record};
use trials::Trials;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The server's example `slowed`; scripts/calibrate.sh builds it as a comparison would
    #[arg(long, value_name = "FILE")]
    server: PathBuf,
    /// Another build of the same code, used as head where nothing is slowed; several take turns
    #[arg(long, value_name = "FILE")]
    like: Vec<PathBuf>,
    /// Comparisons without a slowdown; 0 takes none
    #[arg(long, value_name = "N", default_value_t = 200)]
    same: usize,
    /// Comparisons without a slowdown that share base and its copy: quicker, but less independent
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=8))]
    together: u32,
    /// Comparisons with each slowdown; 0 takes none
    #[arg(long, value_name = "N", default_value_t = 100)]
    slowed: usize,
    /// Slowdowns, in percent of the cost of an operation
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', default_value = "1,2,3,5,10", value_parser = percent)]
    slower: Vec<f64>,
    /// Comparisons in which each row is slowed by what it says it sees, as those without a slowdown told; 0 takes none
    #[arg(long, value_name = "N", default_value_t = 50)]
    seen: usize,
    /// Processors kept busy during the comparisons
    #[arg(long, value_name = "N", default_value_t = 0)]
    busy: u32,
    /// Rows whose id contains this; may be repeated
    #[arg(long, value_name = "FILTER")]
    only: Vec<String>,
    /// Smallest change that counts, in percent
    #[arg(long, value_name = "PERCENT", default_value = "3", value_parser = percent)]
    threshold: f64,
    /// Seed of every random order
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Records, one line of JSON per comparison; existing ones count, so that an interrupted run continues
    #[arg(long, value_name = "FILE", default_value = "target/calibration.jsonl")]
    records: PathBuf,
    /// The document to write; its drawing gets the same name with .svg
    #[arg(long, value_name = "FILE", default_value = "benches/CALIBRATION.md")]
    document: PathBuf,
}

/// The document names the script: it calls this program several times, and each call adds records.
const COMMAND: &str = "scripts/calibrate.sh";

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let program = |path: &PathBuf| -> Result<Program> {
        ensure!(path.is_file(), "there is no {}; {COMMAND} builds it", path.display());
        Ok(Program::Server(path.canonicalize()?))
    };
    let server = program(&args.server)?;
    let like: Vec<Program> = args.like.iter().map(program).collect::<Result<_>>()?;
    cleanup::install()?;
    let mut journal = Journal::open(&args.records)?;
    let trials = Trials {
        like: if like.is_empty() { vec![server.clone()] } else { like },
        server,
        workloads: select(&args.only, true, None)?,
        rule: Rule::with_threshold(args.threshold),
        busy: args.busy,
        progress: Progress::new(),
    };
    let _busy = Spinners::neighbours(args.busy);
    take(args, &trials, &mut journal)?;
    trials.progress.clear();
    write(args, journal.records())?;
    Ok(ExitCode::SUCCESS)
}

/// Takes the comparisons that `journal` does not have yet.
fn take(args: &Args, trials: &Trials, journal: &mut Journal<Record>) -> Result<()> {
    let count = |journal: &Journal<Record>, head: Head| {
        journal.records().iter().filter(|record| trials.covers(record, head)).count()
    };
    loop {
        let done = count(journal, Head::Same);
        if done >= args.same {
            break;
        }
        let mut rng = SplitMix64::new(args.seed ^ ((done as u64) << 32) ^ u64::from(args.busy));
        let what = format!("nothing slower, {} of {}", done + 1, args.same);
        match args.together {
            1 => journal.keep([trials.same(&what, done, &mut rng)?])?,
            heads => journal.keep(trials.same_together(&what, heads, &mut rng)?)?,
        }
    }
    let slowed = |journal: &Journal<Record>| {
        args.slower.iter().map(|slower| count(journal, Head::Slower(*slower))).min()
    };
    while let Some(done) = slowed(journal).filter(|done| *done < args.slowed) {
        let mut rng = SplitMix64::new(!args.seed ^ ((done as u64) << 32));
        let what = format!("slowed programs, {} of {}", done + 1, args.slowed);
        journal.keep(trials.slowed(&what, &args.slower, &mut rng)?)?;
    }
    let seen = seen(journal.records(), args.busy);
    loop {
        let done = count(journal, Head::Seen);
        if done >= args.seen {
            break;
        }
        ensure!(
            !seen.is_empty(),
            "no comparison without a slowdown tells what the rows see; take some: --same 20"
        );
        let mut rng = SplitMix64::new(args.seed.rotate_left(32) ^ ((done as u64) << 32));
        let what = format!("slowed by what rows see, {} of {}", done + 1, args.seen);
        journal.keep([trials.seen(&what, &seen, &mut rng)?])?;
    }
    Ok(())
}

/// What each row says it sees beside so many busy processors.
fn seen(records: &[Record], busy: u32) -> BTreeMap<String, f64> {
    let beside = alarms(records).into_iter().filter(|alarms| alarms.busy == busy);
    beside.flat_map(|alarms| alarms.rows).map(|row| (row.id, row.detectable)).collect()
}

fn write(args: &Args, records: &[Record]) -> Result<()> {
    let drawing = args.document.with_extension("svg");
    let name = drawing.file_name().unwrap_or_default().to_string_lossy();
    let write = |path: &Path, text: &str| {
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    let document = document::markdown(records, args.threshold, COMMAND, args.like.len(), &name);
    write(&drawing, &curve::svg(records, args.threshold))?;
    write(&args.document, &document)?;
    eprintln!("written: {} and {}", args.document.display(), drawing.display());
    Ok(())
}
