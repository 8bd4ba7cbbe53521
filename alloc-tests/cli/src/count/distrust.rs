//! The error of a measurement that cannot be trusted.

use std::fmt::{self, Display};

use anyhow::Result;

/// Why no number can be trusted, and what to do.
#[derive(Debug)]
pub(super) struct Blind(pub(super) String);

impl Display for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Blind {}

/// Gives up.
pub(super) fn blind<T>(why: String) -> Result<T> {
    Err(Blind(why).into())
}

/// What to do about an allocator that the library does not see.
pub(super) const IN_PROCESS: &str = "count it in process instead: cargo plimsoll init";
