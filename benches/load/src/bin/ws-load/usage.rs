use std::error::Error as _;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};

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

/// Flags of a load without a profile, which a run with one does not have.
const OF_A_LOAD: [&str; 14] = [
    "-c",
    "--connections",
    "-r",
    "--rate",
    "-p",
    "--in-flight",
    "-d",
    "--duration",
    "-s",
    "--size",
    "--binary",
    "--ramp",
    "--warm-up",
    "--save",
];

/// Shows an error of the command line: that of a value in one line, which names the flag, the value and the cure, and that of
/// a flag of another tool in one line as well.
pub(crate) fn refuse(error: &clap::Error) -> ExitCode {
    match of_value(error).or_else(|| of_foreign_flag(error)) {
        Some(line) => eprintln!("ws-load: {line}"),
        None => error.exit(),
    }
    ExitCode::from(2)
}

fn of_value(error: &clap::Error) -> Option<String> {
    let context = |kind| error.get(kind).map(ToString::to_string);
    let why = error.source().filter(|_| error.kind() == ErrorKind::ValueValidation)?.to_string();
    let (flag, value) = (context(ContextKind::InvalidArg)?, context(ContextKind::InvalidValue)?);
    let flag = flag.split(' ').next()?;
    let is_named = !value.is_empty() && why.contains(&value);
    Some(if is_named { format!("{flag}: {why}") } else { format!("{flag} {value:?}: {why}") })
}

fn of_foreign_flag(error: &clap::Error) -> Option<String> {
    let flag = error.get(ContextKind::InvalidArg).map(ToString::to_string)?;
    let is_unknown = error.kind() == ErrorKind::UnknownArgument;
    let cure = if OF_A_LOAD.contains(&flag.as_str()) {
        "a profile says it, so write it there (ws-load profiles smoke > mine.toml), or load without one: ws-load URL"
    } else {
        FOREIGN.iter().find(|(flags, _)| flags.contains(&flag.as_str()))?.1
    };
    is_unknown.then(|| format!("unknown flag {flag}; {cure}"))
}
