use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use load::merge::merge;
use load::report::directory;
use load::validator::validate;

use crate::output::Output;

const AFTER_HELP: &str = "Example of a run in two shards, which start together:
  T=$(( $(date +%s) + 10 ))
  ws-load run big.toml URL --shard 0/2 --start-at $T --run-id r1 --out a &
  ws-load run big.toml URL --shard 1/2 --start-at $T --run-id r1 --out b &
  wait
  ws-load merge a b --out whole

Exit codes: 0 pass, 1 a report cannot be read or the runs differ,
2 usage, 3 a threshold is violated, 6 invalid or incomplete, 130 interrupted";

#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Folders that `run --out` wrote
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let runs = args
        .dirs
        .iter()
        .map(|dir| directory::read(dir).with_context(|| format!("in {}", dir.display())))
        .collect::<Result<Vec<_>>>()?;
    args.output.prepare()?;
    let whole = merge(runs)?;
    let assessment = validate(&whole);
    args.output.show(&whole, &assessment, None)?;
    Ok(ExitCode::from(assessment.verdict.exit_code()))
}
