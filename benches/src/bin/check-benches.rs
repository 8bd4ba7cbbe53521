//! Compares the ratios of criterion's results to their floors with the recorded ratios.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use baselines::ratios::{Ratios, load, path, save};
use baselines::{Recording, Verdict};
use benches::criterion_data::read;
use benches::ratios::{self, Filter, Format, RatioRow, Update, judge, render};
use clap::Parser;

const EXIT_CODES: &str = "Exit codes: 0 pass, 1 tool failed, 2 usage, 3 regressed, 4 improved, \
                          5 missing, stale or not comparable";

/// Compare criterion's results, as ratios to raw TCP, with the recorded ratios
#[derive(Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Args {
    /// Judge only benchmarks whose id contains one of these
    filter: Vec<String>,
    /// Record the last run instead of judging it
    #[arg(long, requires = "reason")]
    update: bool,
    /// Why the ratios changed, and on which machine; recorded with each ratio
    #[arg(long, requires = "update", value_parser = reason)]
    reason: Option<String>,
    /// Share by which a later run may differ in either direction, e.g. 0.25 [default: the recorded share, or 0.5]
    #[arg(long, requires = "update", value_parser = tolerance)]
    tolerance: Option<f64>,
    /// Remove recorded ratios that the run did not measure
    #[arg(long, requires = "update")]
    prune: bool,
    /// Criterion's results [default: $CRITERION_HOME, or criterion/ in the target folder]
    #[arg(long, value_name = "DIR")]
    criterion_dir: Option<PathBuf>,
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

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if f64::is_finite(share) && share > 0.0 => Ok(share),
        _ => Err("a share above 0, e.g. 0.25".to_owned()),
    }
}

fn run(args: &Args) -> Result<ExitCode> {
    let criterion_dir = args.criterion_dir.clone().unwrap_or_else(criterion_dir);
    let measurements = match read(&criterion_dir) {
        Err(error) => return Ok(fail(&error, error.verdict())),
        Ok(measurements) => measurements,
    };
    let path = path(&args.baselines);
    // Before anything is read, so that another update is not lost.
    let recording = args.update.then(|| Recording::begin(&args.baselines)).transpose();
    let recording = match recording {
        Err(error) => return Ok(fail(&error.with_command(RECORD), error.verdict())),
        Ok(recording) => recording,
    };
    let recorded = match load(&path) {
        // Every measured benchmark is then shown as missing.
        Err(baselines::Error::Missing { .. }) => Ratios::new(),
        Err(error) => return Ok(fail(&error.with_command(RECORD), error.verdict())),
        Ok(recorded) => recorded,
    };
    let rows = judge(&recorded, &measurements, &Filter(args.filter.clone()));
    if rows.is_empty() {
        eprintln!(
            "check-benches: no benchmark matches; list them with cargo bench -p benches -- --list"
        );
        return Ok(ExitCode::from(Verdict::Missing.exit_code()));
    }
    bench_show::output::print(&render(&rows, args.format))?;
    if let Some((recording, reason)) = recording.zip(args.reason.as_ref()) {
        return record(args, recording, &recorded, &rows, reason);
    }
    let code = ratios::exit_code(&rows);
    if let Some(advice) = advice(code) {
        eprintln!("check-benches: {advice}");
    }
    Ok(ExitCode::from(code))
}

fn record(
    args: &Args,
    mut recording: Recording,
    recorded: &Ratios,
    rows: &[RatioRow],
    reason: &str,
) -> Result<ExitCode> {
    if rows.iter().any(|row| row.refused.is_some()) {
        bail!(
            "not recorded: some results have no floor of the same run; measure both with cargo bench -p benches"
        );
    }
    let Update { ratios, loosened, kept, pruned } =
        ratios::update(recorded, rows, args.tolerance, reason, args.prune);
    let path = path(recording.root());
    save(&path, &ratios, &mut recording)
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
            "slower than recorded, relative to the floor; measure again before believing it: cargo bench -p benches",
        ),
        4 => Some(
            "faster than recorded, relative to the floor; record it with scripts/check-benches.sh --update --reason \"…\"",
        ),
        5 => Some(
            "measured and recorded benchmarks do not match; record them with scripts/check-benches.sh --update --reason \"…\"",
        ),
        _ => Some("some results are not valid; measure again with cargo bench -p benches"),
    }
}

/// Records the ratios.
const RECORD: &str = "scripts/check-benches.sh --update --reason \"…\"";

fn fail(error: &dyn std::fmt::Display, verdict: Verdict) -> ExitCode {
    eprintln!("check-benches: {error}");
    ExitCode::from(verdict.exit_code())
}

/// Where criterion puts its results.
fn criterion_dir() -> PathBuf {
    let from_env = |name| std::env::var_os(name).map(PathBuf::from);
    from_env("CRITERION_HOME").unwrap_or_else(|| {
        from_env("CARGO_TARGET_DIR").unwrap_or_else(|| workspace().join("target")).join("criterion")
    })
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
