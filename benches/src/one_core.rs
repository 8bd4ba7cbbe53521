//! Driver and server on one core.
//!
//! Where they take turns, a second core adds nothing but the wake-up across cores, which costs several times the work
//! and swings with the weather of the machine. On one core a round trip is code and a context switch.

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Keeps this thread, and every thread it starts from now on, on the last core it may use: the first one tends to
/// serve the interrupts.
///
/// # Errors
///
/// If the operating system does not allow it.
pub fn pin() -> Result<()> {
    let allowed = sched_getaffinity(None)
        .context("cannot tell the allowed cores; look with taskset -p $$")?;
    let last = (0..CpuSet::MAX_CPU).rev().find(|core| allowed.is_set(*core));
    let mut one = CpuSet::new();
    one.set(last.context("a running thread is allowed on some core")?);
    sched_setaffinity(None, &one).context("cannot stay on one core; look with taskset -p $$")
}
