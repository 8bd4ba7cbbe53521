//! What is the same in every run of a scenario, so that its counts are: random numbers and the date always,
//! addresses and all clocks when the doctor looks for a cause.

use std::process::Command;

use anyhow::ensure;
use serde::{Deserialize, Serialize};

use crate::clock::{self, Stopped};
use crate::system_calls::{self, Observed};

/// The causes of different counts that are taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pins {
    /// Random numbers begin with the same ones in every window.
    pub(crate) random: bool,
    /// The kernel places code, heap and stacks at the same addresses in every process.
    pub(crate) addresses: bool,
    /// The date of the server stands still, so that a date in a header or a log has the same length, and is not made anew
    /// when a second begins.
    pub(crate) date: bool,
    /// All clocks of the server stand still: timers do not fire.
    pub(crate) clock: bool,
}

impl Pins {
    /// Those of every measurement.
    pub(crate) const USUAL: Self =
        Self { random: true, addresses: false, date: true, clock: false };

    /// Changes a child that has not started.
    pub(crate) fn prepare(self, child: &mut Command) {
        use std::os::unix::process::CommandExt as _;
        if self.addresses {
            // SAFETY: one system call, which allocates nothing.
            unsafe {
                child.pre_exec(|| {
                    // A container may refuse; then nothing is steadier, and the doctor does not name addresses.
                    libc::personality(libc::ADDR_NO_RANDOMIZE as libc::c_ulong);
                    Ok(())
                });
            }
        }
    }

    /// Changes this child, before its first window. `counts_calls` says whether its system calls are counted.
    pub(crate) fn apply(self, counts_calls: bool) -> anyhow::Result<()> {
        let observed = match (counts_calls, self.random) {
            (true, true) => Some(Observed::All),
            (true, false) => Some(Observed::AllUnpinned),
            (false, true) => Some(Observed::Random),
            (false, false) => None,
        };
        if let Some(observed) = observed {
            // Where the kernel refuses, system calls are not measured, and random numbers differ.
            drop(system_calls::observe(observed));
        }
        let stopped = match (self.clock, self.date) {
            (true, _) => Stopped::All,
            (false, true) => Stopped::Date,
            (false, false) => Stopped::None,
        };
        clock::stop(stopped);
        ensure!(clock::is(stopped), "the clock of this program does not stop: {stopped:?}");
        Ok(())
    }
}
