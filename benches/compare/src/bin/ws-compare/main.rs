//! Judges timings. One subcommand per question; this file only parses, dispatches and turns an outcome into an exit
//! code.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod compare;

#[derive(Parser)]
#[command(version, about = "Judges timings", after_help = EXIT_CODES)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 pass, 1 tool failed, 2 usage, 3 regressed, 4 improved, \
                          5 missing, stale or not comparable, 6 too noisy to say";

#[derive(Subcommand)]
enum Command {
    /// Compare two revisions, or two servers: exact counts, instructions and paired timings
    #[command(override_usage = compare::USAGE, after_help = compare::AFTER_HELP)]
    Compare(Box<compare::Args>),
}

fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Compare(args) => compare::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("ws-compare: {error:#}");
        ExitCode::FAILURE
    })
}
