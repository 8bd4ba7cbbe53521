//! `ws-compare`: parses, dispatches, and turns an outcome into an exit code.

use std::process::ExitCode;

use bench_show::usage::one_line;
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use compare::command::{self, EXIT_CODES, Usage};

#[derive(Parser)]
#[command(version, max_term_width = 80, about = "Compares two revisions or two servers", after_help = EXIT_CODES)]
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
    let Command::Compare(args) = match Args::try_parse() {
        Ok(args) => args.command,
        Err(error) if shows_help(error.kind()) => error.exit(),
        Err(error) => {
            eprintln!("error: {}", one_line(&error.to_string(), "scripts/compare.sh --help"));
            return ExitCode::from(2);
        }
    };
    command::run(&args).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
    })
}

fn shows_help(kind: ErrorKind) -> bool {
    use ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
    matches!(kind, DisplayHelp | DisplayHelpOnMissingArgumentOrSubcommand | DisplayVersion)
}

#[cfg(test)]
mod tests {
    use bench_show::picture::{typed, words};
    use clap::{CommandFactory, Parser};

    use super::Args;

    #[test]
    fn the_picture_shows_a_command_that_is_accepted() {
        let picture = include_str!("../../../planted.svg");
        let typed = words(&typed(picture).expect("a picture says what was typed"));
        assert_eq!(typed[0], "scripts/compare.sh");
        let typed =
            ["ws-compare", "compare"].into_iter().chain(typed.iter().skip(1).map(String::as_str));
        Args::try_parse_from(typed).expect("it is accepted");
        assert!(picture.contains("REGRESSED") && picture.contains("server/src/echo.rs:"));
    }

    #[test]
    fn every_help_fits_80_columns() {
        assert_eq!(bench_show::usage::wide_lines(Args::command()), [""; 0]);
    }
}
