//! Which processor cores threads run on.

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Keeps this thread, and every thread it starts from now on, on the last core it may use: the first core of a machine
/// tends to serve its interrupts.
///
/// On two cores a message may or may not find its reader asleep, and waking the reader costs several times the work:
/// identical runs differed by a factor of three, and so did a benchmark and its floor. On one core a time is code and
/// context switches, of driver and server together.
///
/// # Errors
///
/// If the operating system does not report the cores or refuses.
pub fn pin() -> Result<()> {
    let last = allowed()?.pop().context("no core is allowed; look with taskset -p $$")?;
    stay_on(&[last])
}

/// The cores that this thread may use, ascending.
///
/// # Errors
///
/// If the operating system does not report them.
pub fn allowed() -> Result<Vec<usize>> {
    let allowed = sched_getaffinity(None)
        .context("cannot read the allowed cores; look with taskset -p $$")?;
    Ok((0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect())
}

/// Keeps this thread, and every thread and process it starts from now on, on `cores`.
///
/// # Errors
///
/// If the operating system refuses.
pub fn stay_on(cores: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    cores.iter().for_each(|core| set.set(*core));
    sched_setaffinity(None, &set).context("cannot choose a core; look with taskset -p $$")
}
