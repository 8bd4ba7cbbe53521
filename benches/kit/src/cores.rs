//! Which cores threads stay on.

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Keeps this thread, and every thread it starts from now on, on the last core it may use: the first one of a machine
/// tends to serve its interrupts.
///
/// Across two cores every message may or may not find its reader asleep, and waking it costs several times the work:
/// left alone, identical runs were three times apart, and so were a benchmark and its floor. On one core a number is
/// code and context switches, of driver and server together.
///
/// # Errors
///
/// If the operating system does not tell or does not allow it.
pub fn pin() -> Result<()> {
    let last = allowed()?.pop().context("a running thread is allowed on some core")?;
    stay_on(&[last])
}

/// The cores that this thread may use, ascending.
///
/// # Errors
///
/// If the operating system does not tell.
pub fn allowed() -> Result<Vec<usize>> {
    let allowed = sched_getaffinity(None)
        .context("cannot tell the allowed cores; look with taskset -p $$")?;
    Ok((0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect())
}

/// Keeps this thread, and every thread and process it starts from now on, on `cores`.
///
/// # Errors
///
/// If the operating system does not allow it.
pub fn stay_on(cores: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    cores.iter().for_each(|core| set.set(*core));
    sched_setaffinity(None, &set).context("cannot choose a core; look with taskset -p $$")
}
