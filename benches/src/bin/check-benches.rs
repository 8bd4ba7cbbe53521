//! Measures the criterion targets in rounds and compares their ratios to the floors with the recorded ratios.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use baselines::ratios::{Recorded, load, path, save};
use baselines::{Recording, Verdict};
use bench_kit::machine;
use bench_show::progress::Progress;
use benches::pairs::Pairs;
use benches::ratios::{self, Filter, Format, RatioRow, Update, judge, render};
use benches::rounds;
use clap::Parser;

const EXIT_CODES: &str = "Exit codes: 0 pass, 1 tool failed, 2 usage, 3 regressed, 4 improved, \
                          5 missing, stale or not comparable, 6 too noisy";

/// Measure the benchmarks and compare their ratios to raw TCP with the recorded ratios
#[derive(Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    /// Only benchmarks whose id contains one of these
    filter: Vec<String>,
    /// Rounds, each in new processes; fewer than eight are too noisy to judge
    #[arg(long, value_name = "N", default_value_t = rounds::ROUNDS, value_parser = at_least_one)]
    rounds: usize,
    /// Use the rounds that were measured last
    #[arg(long, conflicts_with = "rounds")]
    last: bool,
    /// Exit with 0 on another processor than the recorded one; the table then has no verdict
    #[arg(long, conflicts_with = "update")]
    other_machine_ok: bool,
    /// Record the ratios instead of judging them
    #[arg(long, requires = "reason")]
    update: bool,
    /// Why the ratios changed; recorded with each ratio
    #[arg(long, requires = "update", value_parser = reason)]
    reason: Option<String>,
    /// Share by which a later run may differ in either direction, e.g. 0.05 [default: the recorded share; a new ratio is
    /// not judged]
    #[arg(long, requires = "update", value_parser = tolerance)]
    tolerance: Option<f64>,
    /// Remove recorded ratios that the run did not measure
    #[arg(long, requires = "update")]
    prune: bool,
    /// The folder of the rounds [default: criterion/rounds in the target folder]
    #[arg(long, value_name = "DIR")]
    rounds_dir: Option<PathBuf>,
    /// The folder that contains bench/ratios.json
    #[arg(long, value_name = "DIR", default_value_os_t = workspace().join("baselines"), hide_default_value = true)]
    baselines: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

fn reason(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("the reason must not be empty".to_owned())
    } else {
        Ok(text.trim().to_owned())
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|rounds| *rounds > 0)
        .ok_or_else(|| "a number above 0, e.g. 8".to_owned())
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if f64::is_finite(share) && share > 0.0 => Ok(share),
        _ => Err("a share above 0, e.g. 0.05".to_owned()),
    }
}

fn run(args: &Args) -> Result<ExitCode> {
    let filter = Filter(args.filter.clone());
    let path = path(&args.baselines);
    // Before minutes are spent on a measurement that cannot be judged.
    if let Err(error) = recorded(&path) {
        return Ok(fail(&error.with_command(RECORD), error.verdict()));
    }
    let rounds = measure(args, &filter)?;
    if rounds.iter().all(|round| !round.keys().any(|id| filter.admits(id))) {
        eprintln!(
            "check-benches: no benchmark matches; list them with cargo bench -p benches -- --list"
        );
        return Ok(ExitCode::from(Verdict::Missing.exit_code()));
    }
    // Before anything is read, so that another update is not lost.
    let recording = args.update.then(|| Recording::begin(&args.baselines)).transpose();
    let recording = match recording {
        Err(error) => return Ok(fail(&error.with_command(RECORD), error.verdict())),
        Ok(recording) => recording,
    };
    let recorded = match recorded(&path) {
        Err(error) => return Ok(fail(&error.with_command(RECORD), error.verdict())),
        Ok(recorded) => recorded,
    };
    let here = machine::name();
    let rows = judge(&recorded, &here, &rounds, &filter)?;
    bench_show::output::print(&render(&rows, args.format))?;
    if let Some((recording, reason)) = recording.zip(args.reason.as_ref()) {
        return record(args, recording, &recorded, &rows, reason);
    }
    let is_other = |row: &RatioRow| row.verdict == Some(Verdict::NotComparable);
    if rows.iter().any(is_other) {
        eprintln!(
            "check-benches: no verdict: the ratios were recorded on {:?}, and this is {here:?}; compare two revisions \
             here with scripts/compare.sh",
            recorded.machine
        );
        if args.other_machine_ok && rows.iter().all(|row| is_other(row) || row.verdict.is_none()) {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let code = ratios::exit_code(&rows);
    if let Some(advice) = advice(code) {
        eprintln!("check-benches: {advice}");
    }
    Ok(ExitCode::from(code))
}

/// Without a file every measured benchmark is shown as missing.
fn recorded(path: &Path) -> Result<Recorded, baselines::Error> {
    match load(path) {
        Err(baselines::Error::Missing { .. }) => Ok(Recorded::default()),
        loaded => loaded,
    }
}

fn measure(args: &Args, filter: &Filter) -> Result<Vec<Pairs>> {
    let folder = args.rounds_dir.clone().unwrap_or_else(|| target().join("criterion/rounds"));
    if args.last {
        return rounds::last(&folder);
    }
    let progress = Progress::new();
    let measured = rounds::measure(&workspace(), &folder, args.rounds, filter, |round| {
        progress.step("measuring the benchmarks in rounds", round, args.rounds);
    });
    progress.clear();
    measured
}

fn record(
    args: &Args,
    mut recording: Recording,
    before: &Recorded,
    rows: &[RatioRow],
    reason: &str,
) -> Result<ExitCode> {
    let here = machine::name();
    let Update { recorded, loosened, kept, pruned } =
        ratios::update(before, &here, rows, args.tolerance, reason, args.prune)?;
    let path = path(recording.root());
    save(&path, &recorded, &mut recording)
        .and_then(|()| recording.commit())
        .map_err(|error| anyhow::Error::msg(error.with_command(RECORD)))?;
    for (id, before, after) in loosened {
        eprintln!("loosened {id}: {before} → {after}");
    }
    for id in pruned {
        eprintln!("removed {id}");
    }
    for id in kept {
        eprintln!("kept {id}, which did not run; remove it with --prune");
    }
    eprintln!("recorded in {}; review it with git diff baselines/bench", path.display());
    Ok(ExitCode::SUCCESS)
}

/// What to do after a run that did not pass.
fn advice(code: u8) -> Option<&'static str> {
    match code {
        0 => None,
        3 => Some(
            "slower than recorded, relative to the floor; find the change with scripts/compare.sh main",
        ),
        4 => Some(
            "faster than recorded, relative to the floor; record it with scripts/check-benches.sh --update --reason \"…\"",
        ),
        5 => Some(
            "measured and recorded benchmarks do not match; record them with scripts/check-benches.sh --update --reason \"…\"",
        ),
        6 => Some(
            "the rounds differ too much; leave the machine alone and run again, or try --rounds 20",
        ),
        _ => Some("some results are not valid; run again"),
    }
}

/// Records the ratios.
const RECORD: &str = "scripts/check-benches.sh --update --reason \"…\"";

fn fail(error: &dyn std::fmt::Display, verdict: Verdict) -> ExitCode {
    eprintln!("check-benches: {error}");
    ExitCode::from(verdict.exit_code())
}

fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    workspace().join(target.unwrap_or_else(|| "target".into()))
}

fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("the package is in a folder of the workspace").to_owned()
}

fn main() -> ExitCode {
    run(&Args::parse()).unwrap_or_else(|error| {
        eprintln!("check-benches: {error:#}");
        ExitCode::FAILURE
    })
}
