//! `ws-compare`: parses, dispatches, and turns an outcome into an exit code.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use compare::command::{self, EXIT_CODES, Usage};

#[derive(Parser)]
#[command(version, about = "Compares two revisions or two servers", after_help = EXIT_CODES)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compare two revisions, or two servers: exact counts, instructions and paired timings
    #[command(override_usage = command::usage("scripts/compare.sh"), after_help = EXIT_CODES)]
    Compare(Box<command::Args>),
}

fn main() -> ExitCode {
    let Command::Compare(args) = Args::parse().command;
    command::run(&args).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
    })
}
