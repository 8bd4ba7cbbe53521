//! Printing to a pipe whose reader may leave early.

use std::io::{self, ErrorKind, Write};

use anyhow::{Context, Result};

/// Prints `text` on stdout. A closed pipe is not an error: a reader that leaves early does not change a verdict.
///
/// # Errors
///
/// If stdout cannot be written for another reason, such as a full disk.
pub fn print(text: &str) -> Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to stdout; look at the disk with df -h"),
    }
}
