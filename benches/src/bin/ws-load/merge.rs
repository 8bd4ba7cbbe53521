use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use benches::load::merge::merge;
use benches::load::report::directory;
use benches::load::validator::validate;

use crate::run::{Format, show};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folders that `run --out` wrote
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// Folder for the report of all of them
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the report that is in that folder
    #[arg(long, requires = "out")]
    overwrite: bool,
    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let runs = args
        .dirs
        .iter()
        .map(|dir| directory::read(dir).with_context(|| format!("in {}", dir.display())))
        .collect::<Result<Vec<_>>>()?;
    if let Some(dir) = &args.out {
        directory::prepare(dir, args.overwrite)?;
    }
    let whole = merge(runs)?;
    let judgement = validate(&whole);
    if let Some(dir) = &args.out {
        directory::write(dir, &whole, &judgement, args.overwrite)?;
        eprintln!("report in {}", dir.display());
    }
    show(&whole, &judgement, args.format)?;
    Ok(ExitCode::from(judgement.verdict.exit_code()))
}
