use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use bench_show::output::print;
use load::merge::in_words;
use load::report::diff::{Side, differences, render};

use crate::common::all;
use crate::output::width;

const AFTER_HELP: &str = "Example:
  ws-load run smoke ws://127.0.0.1:9001/ws/echo --out a
  ws-load run smoke ws://127.0.0.1:9002/ws/echo --out b
  ws-load diff a b

The difference is no verdict: with one run each, two runs of one program
differ as well. ws-compare judges differences.

Exit codes: 0 shown, 1 a report cannot be read, 2 usage,
5 the loads differ, so their figures are not comparable";

#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// A folder that --out wrote, or a report.json
    #[arg(value_name = "A")]
    one: PathBuf,
    /// Another one, of the same load
    #[arg(value_name = "B")]
    other: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let sides = all([&args.one, &args.other].map(|path| Side::read(path)))?;
    let (one, other) = (&sides[0], &sides[1]);
    let differences = differences(one, other);
    if !differences.is_empty() {
        eprintln!(
            "ws-load: the loads differ in {}, so their figures are not comparable; run one profile twice, in as many shards",
            in_words(&differences)
        );
        return Ok(ExitCode::from(5));
    }
    print(&render(one, other, width()))?;
    Ok(ExitCode::SUCCESS)
}
