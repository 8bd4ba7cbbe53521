//! Loads a WebSocket endpoint and judges it by thresholds. This file parses the command line, calls a subcommand and
//! turns its outcome into an exit code.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use load::validator::RunVerdict;
use load_engine::problem::Problem;
use load_plan::outcome::Ending;

mod live;
mod merge;
mod output;
mod profiles;
mod progress;
mod run;
mod search;
mod settings;

/// A run without a URL starts this program as the server, which counts its allocations.
#[global_allocator]
static ALLOCATOR: server::allocations::Counting = server::allocations::Counting;

#[derive(Parser)]
#[command(version, about = "Loads a WebSocket endpoint and judges it by thresholds", after_help = EXIT_CODES)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str =
    "Exit codes: 0 pass, 1 tool or target failed, 2 usage, 3 a threshold is violated,
6 the measurement cannot be trusted, 130 interrupted

A first run: ws-load run smoke";

#[derive(Subcommand)]
enum Command {
    /// Run a profile against a URL, or against its own server
    #[command(after_help = run::AFTER_HELP)]
    Run(Box<run::Args>),
    /// Find the highest rate, or the most connections, that the thresholds allow
    Search(Box<search::Args>),
    /// Add up several runs, or the shards of one run
    Merge(merge::Args),
    /// List profiles and metrics, or print a profile to start from
    Profiles(profiles::Args),
    /// Print the JSON Schema of report.json
    Schema,
    #[command(name = load::own_target::SERVE, hide = true)]
    Serve,
}

fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Search(args) => search::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Profiles(args) => profiles::run(&args),
        Command::Schema => profiles::schema(),
        Command::Serve => load::own_target::serve().map(|never| match never {}),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("ws-load: {error:#}");
        ExitCode::from(match error.downcast_ref::<Problem>().map(|problem| problem.ending) {
            // A wrong command line or profile.
            Some(None) => 2,
            Some(Some(Ending::Interrupted)) => RunVerdict::Interrupted.exit_code(),
            _ => 1,
        })
    })
}
