//! `reject`: pending numbers are forgotten, and the recorded ones stay.

use std::process::ExitCode;

use anyhow::Result;
use bench_show::output::print;

use crate::pending::{NOTHING, Of, Suites, Waiting, discard};

/// What to reject.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    of: Of,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let suites = Suites::around(&std::env::current_dir()?)?;
    let waiting = Waiting::find(&suites, &args.of, None)?;
    let decided: Vec<_> = waiting.all.iter().chain(&waiting.stale).chain(&waiting.known).collect();
    discard(&suites, &decided)?;
    let ids: Vec<&str> = decided.iter().map(|one| one.id.as_str()).collect();
    let said = match ids[..] {
        [] => NOTHING.to_owned(),
        _ => format!(
            "rejected: {}; the recorded numbers stay, and the tests stay red\n",
            ids.join(", ")
        ),
    };
    print(&said)?;
    Ok(ExitCode::SUCCESS)
}
