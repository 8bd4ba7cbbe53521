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

/// Exit code of numbers that are missing, stale or not comparable.
pub(crate) const STALE: u8 = 5;

/// Numbers that cannot be used here: stale, of another tree or build, or refused.
#[derive(Debug)]
pub(crate) struct NotComparable(pub(crate) String);

impl Display for NotComparable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotComparable {}

/// Prints `error` in one line: 2 for a [`Usage`], 5 for [`NotComparable`], 1 for others.
pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::from(match () {
        () if error.is::<Usage>() => 2,
        () if error.is::<NotComparable>() => STALE,
        () => 1,
    })
}
