//! Loads a WebSocket endpoint and says whether it held. One subcommand per question; this file only parses, dispatches
//! and turns an outcome into an exit code.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use load::validator::RunVerdict;
use load_engine::problem::Problem;
use load_plan::outcome::Ending;

mod live;
mod merge;
mod profiles;
mod progress;
mod run;
mod search;
mod settings;

/// The server that a run without a URL starts is this same program, and says what it allocates.
#[global_allocator]
static ALLOCATOR: server::allocations::Counting = server::allocations::Counting;

#[derive(Parser)]
#[command(version, about = "Loads a WebSocket endpoint and says whether it held", after_help = EXIT_CODES)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str =
    "Exit codes: 0 pass, 1 tool or target failed, 2 usage, 3 a threshold is violated,
6 the measurement cannot be trusted, 130 interrupted

The first run needs nothing: ws-load run smoke";

#[derive(Subcommand)]
enum Command {
    /// Run a profile against a URL, or against a server of our own
    #[command(after_help = run::AFTER_HELP)]
    Run(Box<run::Args>),
    /// Find the highest rate, or the most connections, that still holds
    Search(Box<search::Args>),
    /// Add several runs, or the shards of one, up to one report
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
        Command::Serve => load::own_target::serve().map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("ws-load: {error:#}");
        ExitCode::from(match error.downcast_ref::<Problem>().map(|problem| problem.ending) {
            // What a person asked for is 2, what the world answered is 1.
            Some(None) => 2,
            Some(Some(Ending::Interrupted)) => RunVerdict::Interrupted.exit_code(),
            _ => 1,
        })
    })
}
