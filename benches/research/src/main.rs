//! Measures our own instruments and our own server: how often a comparison is wrong, what the load generator costs, and
//! what subscribers of the dashboard cost connections that echo. This file only parses, dispatches and sets the exit code.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use load::validator::RunVerdict;
use load_engine::problem::Problem;
use load_plan::outcome::Ending;

mod answer;
mod attacks;
mod audience;
mod benchmarks;
mod comparison;
mod generator;
mod journal;

/// `load` and `audience` start this program again as their server, which counts its allocations as `ws-load`'s does.
#[global_allocator]
static ALLOCATOR: server::allocations::Counting = server::allocations::Counting;

#[derive(Parser)]
#[command(about = "Measures our own instruments and our own server")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure how often the timings of ws-compare are wrong, and which slowdowns they see
    Compare(comparison::Args),
    /// Measure how well the ratios of the criterion targets repeat, and which slowdowns check-benches sees
    Benches(benchmarks::Args),
    /// Measure the processor time of ws-load per message, beside a raw TCP driver
    Load(generator::Args),
    /// Measure how much subscribers of the dashboard delay connections that echo
    #[command(after_help = audience::AFTER_HELP)]
    Audience(audience::Args),
    /// Attack a ws-server in many ways, beside clients that keep the rules
    #[command(after_help = attacks::AFTER_HELP)]
    Attacks(attacks::Args),
    #[command(name = load::own_target::SERVE, hide = true)]
    Serve,
}

fn main() -> ExitCode {
    let outcome = match Args::parse().command {
        Command::Compare(args) => comparison::run(&args),
        Command::Benches(args) => benchmarks::run(&args),
        Command::Load(args) => generator::run(&args),
        Command::Audience(args) => audience::run(&args),
        Command::Attacks(args) => attacks::run(&args),
        Command::Serve => load::own_target::serve().map(|never| match never {}),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("calibrate: {error:#}");
        ExitCode::from(match error.downcast_ref::<Problem>().map(|problem| problem.ending) {
            Some(None) => 2,
            Some(Some(Ending::Interrupted)) => RunVerdict::Interrupted.exit_code(),
            _ => 1,
        })
    })
}
