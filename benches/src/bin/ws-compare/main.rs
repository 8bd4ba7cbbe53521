//! Judges timings. One subcommand per question; this file only parses, dispatches and turns an outcome into an exit
//! code.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod busy;
mod calibrate;
mod flags;
mod progress;
mod ratios;

#[derive(Parser)]
#[command(version, about = "Judges timings", after_help = EXIT_CODES)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 pass, 1 tool failed, 2 usage, 3 regressed, 4 improved, \
                          5 missing, stale or not comparable";

#[derive(Subcommand)]
enum Command {
    /// Measure what the timings of `compare` say where the answer is known
    Calibrate(calibrate::Args),
    /// Compare criterion's results, as ratios to raw TCP, with what is recorded
    Ratios(ratios::Args),
}

fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Ratios(args) => ratios::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("ws-compare: {error:#}");
        ExitCode::FAILURE
    })
}
