//! Driver and server on one core.
//!
//! Across two cores every message may or may not find its reader asleep, and waking it costs several times the work:
//! left alone, identical runs were three times apart, and so were a benchmark and its floor. On one core a number is
//! code and context switches, of driver and server together.

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Keeps this thread, and every thread it starts from now on, on the last core it may use: the first one of a machine
/// tends to serve its interrupts.
///
/// # Errors
///
/// If the operating system does not tell or does not allow it.
pub fn pin() -> Result<()> {
    let allowed = sched_getaffinity(None)
        .context("cannot tell the allowed cores; look with taskset -p $$")?;
    let last = (0..CpuSet::MAX_CPU).rev().find(|core| allowed.is_set(*core));
    let mut one = CpuSet::new();
    one.set(last.context("a running thread is allowed on some core")?);
    sched_setaffinity(None, &one).context("cannot stay on one core; look with taskset -p $$")
}
