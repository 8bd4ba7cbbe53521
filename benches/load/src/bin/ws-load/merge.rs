use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use load::merge::merge;
use load::report::directory;
use load::validator::validate;
use load_plan::model::Run;

use crate::common::all;
use crate::output::{Output, Place};

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
    let (there, lost): (Vec<&Path>, Vec<&Path>) =
        args.dirs.iter().map(PathBuf::as_path).partition(|dir| directory::holds_report(dir));
    // Without any report, each folder says what is missing.
    let named = if there.is_empty() { &lost } else { &there };
    let read = |dir: &&Path| directory::read(dir).with_context(|| format!("in {}", dir.display()));
    let runs = all(named.iter().map(read))?;
    let claim = args.output.claim()?;
    let whole = merge(runs)?;
    let mut assessment = validate(&whole);
    if !lost.is_empty() {
        let lost: Vec<_> = lost.iter().map(|dir| dir.display().to_string()).collect();
        let lost = format!("no report is in {}", lost.join(", "));
        ensure!(
            is_incomplete(&whole),
            "{lost}, and no shard is missing; name only the folders of reports"
        );
        assessment.reasons.push(format!("{lost}: its shard died, or still runs"));
    }
    args.output.show(claim.as_ref(), &whole, &assessment, None, Place::Stdout)?;
    Ok(ExitCode::from(assessment.verdict.exit_code()))
}

fn is_incomplete(run: &Run) -> bool {
    run.shards.len() < run.shard.of as usize
}
