//! `ws-compare`: parses, dispatches, and turns an outcome into an exit code.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod compare;

#[derive(Parser)]
#[command(version, about = "Compares two revisions or two servers", after_help = compare::EXIT_CODES)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compare two revisions, or two servers: exact counts, instructions and paired timings
    #[command(override_usage = compare::USAGE, after_help = compare::EXIT_CODES)]
    Compare(Box<compare::Args>),
}

fn main() -> ExitCode {
    let Command::Compare(args) = Args::parse().command;
    compare::run(&args).unwrap_or_else(|error| {
        eprintln!("ws-compare: {error:#}");
        ExitCode::FAILURE
    })
}
