//! Loads a WebSocket endpoint and judges it by thresholds. This file parses the command line, calls a subcommand and
//! turns its outcome into an exit code.

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use load::validator::RunVerdict;
use load_engine::problem::Problem;
use load_plan::outcome::Ending;

mod common;
mod diff;
mod followed;
mod lines;
mod live;
mod merge;
mod open_metrics;
mod output;
mod paths;
mod profiles;
mod progress;
mod quick;
mod run;
mod search;
mod settings;
mod typed;
mod usage;

/// A run without a URL starts this program as the server, which counts its allocations.
#[global_allocator]
static ALLOCATOR: server::allocations::Counting = server::allocations::Counting;

#[derive(Parser)]
#[command(
    version,
    max_term_width = 80,
    about = "Loads a WebSocket endpoint and judges it by thresholds",
    override_usage = USAGE,
    after_help = AFTER_HELP,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true
)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    quick: quick::Quick,
}

const USAGE: &str = "ws-load [OPTIONS] URL
       ws-load COMMAND …   (ws-load COMMAND --help says more)";

const AFTER_HELP: &str = "Examples:
  ws-load run smoke                          a load on a server of its own, 5 s
  ws-load ws://127.0.0.1:9001/ws/echo        a load on yours
  ws-load URL -c 50 -r 20 -d 10s -s 64B --threshold 'latency_p99 < 50ms'
  ws-load URL -c 50 -p 1 --save mine.toml    as fast as it answers; then:
  ws-load run mine.toml

Without --threshold the limits are errors <= 0% and latency_mean < 1s.

Exit codes: 0 pass, 1 tool or target failed, 2 usage, 3 a threshold is violated, \
    5 two reports are not comparable, 6 the measurement cannot be trusted, 130 interrupted";

#[derive(Subcommand)]
enum Command {
    /// Run a profile against a URL, or against its own server
    #[command(after_help = run::AFTER_HELP)]
    Run(Box<run::Args>),
    /// Find the highest rate, or the most connections, that the thresholds allow
    Search(Box<search::Args>),
    /// Add up several runs, or the shards of one run
    Merge(merge::Args),
    /// Show two reports beside each other
    Diff(diff::Args),
    /// List profiles and metrics, or print a profile to start from
    Profiles(profiles::Args),
    /// Print the JSON Schema of report.json
    Schema(profiles::SchemaArgs),
    #[command(name = load::own_target::SERVE, hide = true)]
    Serve,
}

fn main() -> ExitCode {
    let mut whole = Args::command();
    let matches = whole.try_get_matches_from_mut(std::env::args_os());
    let parsed = matches.and_then(|matches| Ok((Args::from_arg_matches(&matches)?, matches)));
    let (Args { command, quick }, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return usage::refuse(&error, &whole),
    };
    let typed = || typed::flags(&whole, &matches);
    let outcome = match command {
        Some(Command::Run(args)) => run::run(&args, typed()),
        Some(Command::Search(args)) => search::run(&args),
        Some(Command::Merge(args)) => merge::run(&args),
        Some(Command::Diff(args)) => diff::run(&args),
        Some(Command::Profiles(args)) => profiles::run(&args),
        Some(Command::Schema(args)) => profiles::schema(&args),
        Some(Command::Serve) => load::own_target::serve().map(|never| match never {}),
        None => quick::run(&quick, &commands(&whole), typed()),
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

/// The names of the subcommands of `whole` that a user may type.
fn commands(whole: &clap::Command) -> Vec<String> {
    let shown = whole.get_subcommands().filter(|command| !command.is_hide_set());
    shown.map(|command| command.get_name().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use bench_show::picture::{typed, words};
    use clap::{CommandFactory, Parser};

    use super::Args;

    #[test]
    fn pictures_show_commands_that_are_accepted_and_the_readme_has_the_first() {
        let readme = include_str!("../../../../../README.md");
        let pass = include_str!("../../../pass.svg");
        let first = typed(pass).expect("a picture says what was typed");
        assert!(readme.contains(&format!("$ {first} ")), "README.md has no line $ {first}");
        for (picture, verdict) in [(pass, "PASS"), (include_str!("../../../fail.svg"), "FAIL")] {
            let typed = words(&typed(picture).expect("a picture says what was typed"));
            assert_eq!(typed[0], "ws-load");
            let args = Args::try_parse_from(typed).expect("it is accepted");
            args.quick.profile(&args.quick.words[0]).expect("its flags make a profile");
            assert!(picture.contains(verdict), "{verdict}");
        }
    }

    #[test]
    fn every_help_fits_80_columns() {
        assert_eq!(bench_show::usage::wide_lines(Args::command()), [""; 0]);
    }
}
