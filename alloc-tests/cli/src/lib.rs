//! `cargo plimsoll`: what crosses builds and repositories, beside the `plimsoll` library, which works without it.
//!
//! # Layout
//!
//! - `error`: exit codes of errors; `place`: the workspace and the repository around a folder
//! - `pending`: numbers that wait for a decision, for `review`, `accept` and `reject`
//! - one file or folder for each command: its `Args`, and its `run`

mod accept;
mod ci;
mod compare;
mod count;
mod doctor;
mod error;
mod init;
mod pending;
mod place;
mod reject;
mod review;

use std::ffi::OsString;
use std::process::ExitCode;

use bench_show::usage::one_line;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use error::Usage;

const EXIT_CODES: &str = "\
Exit codes: 0 pass, 1 a tool, a build or a server failed, 2 usage, 3 regression or leak, 4 improvement not yet recorded, \
    5 baseline missing, stale or not comparable, 6 the measurement cannot be trusted (blind, nondeterministic, too noisy).";

#[derive(Parser)]
#[command(name = "cargo plimsoll", bin_name = "cargo plimsoll", max_term_width = 80, version, about, after_help = EXIT_CODES)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Compare two revisions, or two servers: exact counts, instructions and paired timings
    #[command(override_usage = compare::usage("cargo plimsoll compare"), after_help = compare::EXIT_CODES)]
    Compare(Box<compare::Args>),
    /// Measure a pull request: suites, comparison with its base, summary, annotations (what the action runs)
    Ci(ci::Args),
    /// Check what a suite and a comparison need, or find why a scenario's counts differ
    Doctor(doctor::Args),
    /// Record pending numbers, of this tree or of an artifact of CI
    Accept(accept::Args),
    /// Forget pending numbers; the recorded ones stay
    Reject(reject::Args),
    /// Show pending numbers one by one, to accept or to reject
    Review(review::Args),
    /// Show, then write a suite for a service: the test, the manifest, plimsoll.toml and the workflow
    Init(init::Args),
    /// Count blocks, bytes, reads and writes of any program, per message and per connection, without its source
    Count(count::Args),
}

/// Runs the command of `arguments`, whose first is the program's name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let command = match Args::try_parse_from(&arguments) {
        Ok(args) => args.command,
        Err(error) => return refuse(&error, arguments.get(1)),
    };
    let outcome: anyhow::Result<ExitCode> = match command {
        None => Err(Usage("say a command; cargo plimsoll --help lists them".to_owned()).into()),
        Some(Command::Compare(args)) => compare::run(&args),
        Some(Command::Accept(args)) => accept::run(&args),
        Some(Command::Ci(args)) => ci::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Init(args)) => init::run(&args),
        Some(Command::Count(args)) => count::run(&args),
        Some(Command::Reject(args)) => reject::run(&args),
        Some(Command::Review(args)) => review::run(&args),
    };
    outcome.unwrap_or_else(|error| error::exit_code(&error))
}

/// Shows an error of the command line in one line, or the help that was asked for.
fn refuse(error: &clap::Error, first: Option<&OsString>) -> ExitCode {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        error.exit();
    }
    let all = Args::command();
    let command = first.and_then(|name| all.find_subcommand(name));
    let help = command.map_or(String::new(), |command| format!(" {}", command.get_name()));
    let help = format!("cargo plimsoll{help} --help");
    error::exit_code(&Usage(one_line(&error.to_string(), &help)).into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Args;

    #[test]
    fn every_help_fits_80_columns() {
        assert_eq!(bench_show::usage::wide_lines(Args::command()), [""; 0]);
    }
}
