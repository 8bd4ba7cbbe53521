use std::error::Error as _;
use std::process::ExitCode;

use bench_show::usage::{cure, one_line};
use clap::error::{ContextKind, ErrorKind};
use clap::{Arg, Command};

/// Flags of k6, oha, wrk2, vegeta and curl, and what to type for them.
const FOREIGN: [(&[&str], &str); 9] = [
    (&["-z"], "the duration is -d 10s"),
    (&["-q", "-R", "--rps", "--qps"], "the rate is -r 20, in all"),
    (&["-u", "--vus", "--users"], "the number of connections is -c 50"),
    (&["-n", "-i", "--iterations", "--requests"], "a load has a duration, not a number: -d 10s"),
    (&["-t", "--threads"], "threads are --workers 2"),
    (&["-k", "--insecure-skip-tls-verify"], "any certificate is accepted with --insecure"),
    (&["-H"], "a header is --header 'Name: value'"),
    (&["-m", "--message", "--body"], "a message is --payload FILE"),
    (&["-o", "--output"], "reports are --out DIR, and JSON of each second is --json-lines FILE"),
];

/// The heading in `--help` of the flags of a load without a profile.
const OF_A_LOAD: &str = "Load";

/// Shows an error of the command line of `whole` in one line, which names the flag, the value and the cure.
pub(crate) fn refuse(error: &clap::Error, whole: &Command) -> ExitCode {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        error.exit();
    }
    let typed = std::env::args().nth(1).unwrap_or_default();
    let command = whole.find_subcommand(&typed);
    let line = of_value(error).or_else(|| of_foreign_flag(error, whole, command));
    let help = command.map_or(String::new(), |command| format!(" {}", command.get_name()));
    let line =
        line.unwrap_or_else(|| one_line(&error.to_string(), &format!("ws-load{help} --help")));
    eprintln!("ws-load: {line}");
    ExitCode::from(2)
}

fn of_value(error: &clap::Error) -> Option<String> {
    let context = |kind| error.get(kind).map(ToString::to_string);
    let why = error.source().filter(|_| error.kind() == ErrorKind::ValueValidation)?.to_string();
    let (flag, value) = (context(ContextKind::InvalidArg)?, context(ContextKind::InvalidValue)?);
    let flag = flag.split(' ').next()?;
    let why = cure(&why).map_or_else(|| why.clone(), |cure| format!("{why}; {cure}"));
    let is_named =
        !value.is_empty() && (why.starts_with(&value) || why.contains(&format!("{value:?}")));
    Some(if is_named { format!("{flag}: {why}") } else { format!("{flag} {value:?}: {why}") })
}

fn of_foreign_flag(
    error: &clap::Error,
    whole: &Command,
    command: Option<&Command>,
) -> Option<String> {
    let flag = error.get(ContextKind::InvalidArg).map(ToString::to_string)?;
    let is_unknown = error.kind() == ErrorKind::UnknownArgument;
    let runs_a_profile =
        command.is_some_and(|command| command.get_arguments().any(|arg| arg.get_id() == "profile"));
    let cure = if runs_a_profile && whole.get_arguments().any(|arg| is_of_a_load(arg, &flag)) {
        "a profile says it, so write it there (ws-load profiles smoke > mine.toml), or load without one: ws-load URL"
    } else {
        FOREIGN.iter().find(|(flags, _)| flags.contains(&flag.as_str()))?.1
    };
    is_unknown.then(|| format!("unknown flag {flag}; {cure}"))
}

fn is_of_a_load(arg: &Arg, flag: &str) -> bool {
    let is_named = arg.get_long().is_some_and(|long| flag == format!("--{long}"))
        || arg.get_short().is_some_and(|short| flag == format!("-{short}"));
    is_named && arg.get_help_heading() == Some(OF_A_LOAD)
}
