//! Room for a thousand connections, both ends of each in one process.

use anyhow::{Context, Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit on open descriptors to the hard one. Call it before the server's default limits are read:
/// they follow the soft limit.
///
/// # Errors
///
/// If the hard limit lies below `needed`.
pub fn raise(needed: u64) -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Some(maximum) = maximum
        && maximum < needed
    {
        bail!(
            "{needed} descriptors are needed and {maximum} allowed; raise it with ulimit -Hn {needed}"
        );
    }
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .context("the limit on descriptors cannot be raised; try ulimit -n 4096")
}
