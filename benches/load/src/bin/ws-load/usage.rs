use std::error::Error as _;
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};

/// Shows an error of the command line: that of a value in one line, which names the flag, the value and the cure.
pub(crate) fn refuse(error: &clap::Error) -> ExitCode {
    match of_value(error) {
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
