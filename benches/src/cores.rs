//! Who runs where. Left to the scheduler, driver and server share a core in one run and wake each other across two
//! in the next, and a round trip is three times as long; a benchmark and its floor must not differ in that.

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A core for the driver and one for the server.
#[derive(Clone, Copy, Debug)]
pub struct Cores {
    driver: usize,
    server: usize,
}

impl Cores {
    /// The same for both: where they take turns, a round trip is then code and a context switch.
    ///
    /// # Errors
    ///
    /// If the operating system does not tell or does not allow it.
    pub fn one() -> Result<Self> {
        let server = allowed()?.0;
        Self { driver: server, server }.enter()
    }

    /// One each, where they work at the same time; the same for both on a machine with one.
    ///
    /// # Errors
    ///
    /// As [`Cores::one`].
    pub fn two() -> Result<Self> {
        let (server, driver) = allowed()?;
        Self { driver, server }.enter()
    }

    /// Runs `start` on the server's core: the threads that it starts stay there.
    ///
    /// # Errors
    ///
    /// What `start` returns, or as [`Cores::one`].
    pub fn start<T>(&self, start: impl FnOnce() -> Result<T>) -> Result<T> {
        stay_on(self.server)?;
        let started = start();
        stay_on(self.driver)?;
        started
    }

    fn enter(self) -> Result<Self> {
        stay_on(self.driver)?;
        Ok(self)
    }
}

/// The last two cores this thread may use, the last one first: the first of a machine tends to serve its interrupts.
fn allowed() -> Result<(usize, usize)> {
    let set = sched_getaffinity(None)
        .context("cannot tell the allowed cores; look with taskset -p $$")?;
    let mut cores = (0..CpuSet::MAX_CPU).rev().filter(|core| set.is_set(*core));
    let last = cores.next().context("a running thread is allowed on some core")?;
    Ok((last, cores.next().unwrap_or(last)))
}

fn stay_on(core: usize) -> Result<()> {
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).context("cannot choose a core; look with taskset -p $$")
}
