//! Counts the system calls of the server's threads. The kernel stops a thread at such a call and notifies a supervisor, a
//! thread without the filter: seccomp's user notification, which needs no privilege and no tool.
//!
//! Calls for random numbers are answered by the supervisor, with the same numbers in every window: hash seeds do not differ
//! from run to run.
//!
//! Some calls are neither counted nor stopped: their number depends on the time at which bytes arrive, on the
//! thread that is the last to let go of a descriptor, or on the state of the allocator's own heap.

mod filter;
mod names;
mod notify;
mod random;
#[cfg(target_arch = "x86_64")]
mod trap;

use std::collections::BTreeMap;
use std::io;

use serde::{Deserialize, Serialize};

pub(crate) use notify::{Observed, pins_random, server_is_here};

/// The calls of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Calls {
    /// Number of calls by name.
    pub(crate) by_name: BTreeMap<String, u64>,
    /// Bytes mapped and not unmapped.
    pub(crate) mapped: i64,
}

impl Calls {
    /// The number of calls of `name`.
    pub(crate) fn of(&self, name: &str) -> u64 {
        self.by_name.get(name).copied().unwrap_or_default()
    }

    /// The number of all calls.
    pub(crate) fn sum(&self) -> u64 {
        self.by_name.values().sum()
    }

    /// The smaller number of each call, and of the bytes.
    pub(crate) fn least(self, other: &Self) -> Self {
        let mapped = self.mapped.min(other.mapped);
        let both = self.by_name.into_iter().map(|(name, count)| {
            let least = count.min(other.of(&name));
            (name, least)
        });
        Self { by_name: both.filter(|(_, count)| *count > 0).collect(), mapped }
    }
}

/// Observes every thread that this one starts from now on, and this one while the server runs on it. It cannot be undone.
///
/// # Errors
///
/// If the kernel or a container refuses notifications: nothing is counted, and random numbers differ.
pub(crate) fn observe(observed: Observed) -> io::Result<()> {
    settle_allocator();
    notify::start(observed)
}

/// The counts since the last call of this function; `None` if they are not observed. Random numbers begin again.
pub(crate) fn take() -> Option<Calls> {
    let (counts, mapped) = notify::take();
    let counted = counts.into_iter().enumerate().filter(|(_, count)| *count > 0);
    let by_name = counted.map(|(number, count)| (names::name(number), count)).collect();
    random::restart();
    notify::counts_all().then_some(Calls { by_name, mapped })
}

/// A call stack of system calls.
#[derive(Debug)]
pub(crate) struct Stack {
    /// The call's name.
    pub(crate) call: String,
    /// Return addresses, innermost first.
    pub(crate) frames: Vec<usize>,
    /// Number of calls.
    pub(crate) count: u64,
}

/// Notes the call stacks of all counted calls, as [`observe`] counts them.
///
/// # Errors
///
/// If the kernel refuses, or on another processor than x86-64.
pub(crate) fn attribute() -> io::Result<()> {
    #[cfg(target_arch = "x86_64")]
    return trap::start();
    #[cfg(not(target_arch = "x86_64"))]
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// The stacks since the last call of this function.
pub(crate) fn take_stacks() -> Vec<Stack> {
    #[cfg(target_arch = "x86_64")]
    let stacks = trap::take();
    #[cfg(not(target_arch = "x86_64"))]
    let stacks = Vec::<(usize, Vec<usize>, u64)>::new();
    let named = stacks.into_iter().map(|(number, frames, count)| Stack {
        call: names::name(number),
        frames,
        count,
    });
    named.collect()
}

/// The GNU allocator reads a file of the kernel when a thread returns memory for the first time in a process. It maps large
/// blocks alone, from a size on that grows with those that are freed; a fixed size makes runs alike.
fn settle_allocator() {
    const BLOCK: usize = 64 * 1024;
    #[cfg(target_env = "gnu")]
    {
        /// The allocator's own upper bound.
        const LARGEST: libc::c_int = 32 * 1024 * 1024;
        // SAFETY: no pointers; other threads do not allocate yet.
        unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST) };
    }
    let use_much = || drop(std::hint::black_box(vec![vec![0u8; BLOCK]; 64]));
    std::thread::scope(|scope| _ = scope.spawn(use_much).join());
}
