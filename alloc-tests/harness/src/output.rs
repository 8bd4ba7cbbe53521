//! Standard output, standard error and the exit code.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;

use crate::error::Usage;

/// Exit code of a usage error; clap's own.
const USAGE: u8 = 2;

pub(crate) fn finish(outcome: anyhow::Result<u8>) -> ExitCode {
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            print_error(&format!("error: {error:#}"));
            ExitCode::from(if error.is::<Usage>() { USAGE } else { 1 })
        }
    }
}

/// Writes to stdout. A closed pipe is not an error: the exit code still holds the verdict. Colours are left out unless
/// stdout is a terminal and `NO_COLOR` is unset, or `CLICOLOR_FORCE` is set.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write the report to stdout")
        }
        _ => Ok(()),
    }
}

/// Writes a line to stderr.
pub(crate) fn print_error(text: &str) {
    // An error about a closed stderr has nowhere to go.
    drop(writeln!(std::io::stderr(), "{text}"));
}
