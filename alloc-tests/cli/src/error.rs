//! Errors that end with an exit code of their own.

use std::fmt::{self, Display};
use std::process::ExitCode;

/// A command line, or a place to run it in, that makes no sense.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Prints `error` in one line: 2 for a [`Usage`], 1 for others.
pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
}
