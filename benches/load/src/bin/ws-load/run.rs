use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use load::report::{directory, json, table};
use load::signals::stop_on_signals;
use load::summary::Summary;
use load::validator::{Assessment, RunVerdict, validate};
use load_engine::run::{RunSettings, run as perform};
use load_plan::model::Run;

use crate::live::Live;
use crate::progress::Progress;
use crate::settings::{Flags, ShardFlags, Target};
use bench_show::output::print;

pub(crate) const AFTER_HELP: &str = "Examples:
  ws-load run smoke                                   its own server, 5 s
  ws-load run enterprise ws://127.0.0.1:9001/ws/echo  your server, two minutes
  ws-load run mine.toml wss://example.org/chat --bearer-env TOKEN --out report
  ws-load run sustained --live 127.0.0.1:9002         with a live page

Exit codes: 0 pass, 1 tool or target failed, 2 usage, 3 a threshold is violated,
6 the measurement cannot be trusted, 130 interrupted. With --shard: 0 when the
shard is done; ws-load merge judges all shards.";

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    flags: Flags,
    #[command(flatten)]
    shard: ShardFlags,
    /// Write report.html, report.json, intervals.hlog,
    /// intervals.csv and junit.xml into this folder
    #[arg(long, value_name = "DIR", verbatim_doc_comment)]
    out: Option<PathBuf>,
    /// Replace the report in that folder
    #[arg(long, requires = "out")]
    overwrite: bool,
    /// Print this at the end: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", hide_possible_values = true)]
    format: Format,
    /// Serve a live page here; port 0 takes a free port
    #[arg(long, value_name = "ADDR:PORT")]
    live: Option<SocketAddr>,
    /// Print no progress on stderr
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let profile = args.flags.profile()?;
    let part = args.shard.part()?;
    if let Some(dir) = &args.out {
        // Before the load, so that no result is lost.
        directory::prepare(dir, args.overwrite)?;
    }
    let stop = stop_on_signals()?;
    let target = args.flags.target(&profile)?;
    let settings = part.of(args.flags.settings(profile, target.url().to_owned()));
    let mut live = args.live.map(|addr| Live::start(addr, &settings)).transpose()?;
    let (mut run, assessment) = watched(&settings, &stop, args.quiet, live.as_mut())?;
    if matches!(target, Target::Own(_)) {
        // The run's own server has ended, so its address means nothing.
        run.url.clear();
    }
    let written = save(args.out.as_deref(), args.overwrite, &run, &assessment);
    // The result is shown even if the report cannot be written.
    show(&run, &assessment, args.format, Some(&args.flags.profile))?;
    if let Some(live) = live {
        live.finish(&run, &assessment);
    }
    written?;
    if assessment.verdict == RunVerdict::Incomplete {
        // Success, so that a scheduler does not start the shard again.
        eprintln!("one shard of {}; ws-load merge judges all of them", part.shard.of);
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::from(assessment.verdict.exit_code()))
}

/// Writes the report into `dir`, if one is given.
pub(crate) fn save(
    dir: Option<&Path>,
    overwrite: bool,
    run: &Run,
    assessment: &Assessment,
) -> Result<()> {
    let Some(dir) = dir else { return Ok(()) };
    directory::write(dir, run, assessment, overwrite)?;
    eprintln!("report in {}", dir.display());
    Ok(())
}

/// Runs the load and shows its progress.
pub(crate) fn watched(
    settings: &RunSettings,
    stop: &Arc<AtomicBool>,
    quiet: bool,
    mut live: Option<&mut Live>,
) -> Result<(Run, Assessment)> {
    let mut progress = Progress::new(settings, quiet);
    let mut so_far = Summary::nothing(&settings.profile);
    let run = perform(settings, stop, &mut |now| {
        for interval in now.closed {
            so_far.add(now.profile, interval);
        }
        progress.show(now, &so_far);
        if let Some(live) = live.as_deref_mut() {
            live.show(now, &so_far);
        }
    });
    progress.clear();
    let run = run?;
    let assessment = validate(&run);
    Ok((run, assessment))
}

/// Prints the result; `profile` is the name or path that the command line gave.
pub(crate) fn show(
    run: &Run,
    assessment: &Assessment,
    format: Format,
    profile: Option<&str>,
) -> Result<()> {
    match format {
        Format::Table => print(&table::render(run, assessment, width(), profile)),
        Format::Json => print(&json::text(run, assessment)?),
    }
}

/// Columns of the terminal; 80 without a terminal.
fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    size.map_or(80, |size| usize::from(size.ws_col)).clamp(40, 160)
}
