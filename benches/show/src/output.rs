//! Printing to a pipe whose reader may leave early.

#[cfg(not(feature = "table"))]
use std::io;
use std::io::{ErrorKind, Write};

use anyhow::{Context, Result};

/// Prints `text` on stdout. A closed pipe is not an error: a reader that leaves early does not change a verdict. Colours
/// (feature `table`) are left out unless stdout is a terminal and `NO_COLOR` is unset, or `CLICOLOR_FORCE` is set.
///
/// # Errors
///
/// If stdout cannot be written for another reason, such as a full disk.
pub fn print(text: &str) -> Result<()> {
    #[cfg(feature = "table")]
    let mut stdout = anstream::stdout().lock();
    #[cfg(not(feature = "table"))]
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to stdout; look at the disk with df -h"),
    }
}
