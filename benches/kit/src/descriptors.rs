//! The limit on open files.

use anyhow::{Context, Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit on open descriptors to the hard limit. Call it before the server's default limits are read:
/// they depend on the soft limit.
///
/// # Errors
///
/// If the hard limit is below `needed`, or cannot be set.
pub fn raise(needed: u64) -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Some(maximum) = maximum
        && maximum < needed
    {
        bail!(
            "{needed} descriptors are needed, but only {maximum} are allowed; raise the limit with ulimit -Hn {needed}"
        );
    }
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .context("cannot raise the limit on descriptors; try ulimit -n 4096")
}
