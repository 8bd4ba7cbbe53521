//! The counting library and its file, as descriptors of this process that the program opens by their names in `/proc`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use plimsoll_preload::counts::{self, Counts, Process};
use plimsoll_preload::{LIBRARY, layout};
use rustix::fs::{MemfdFlags, memfd_create};

use super::proc;

/// The library's name in `/proc/PID/maps`.
pub(super) const MAPPED: &str = "/memfd:plimsoll-preload";

/// A new file of counts, all 0. Nothing lies on a disk, and nothing is left when this process ends.
pub(super) struct Counters {
    library: File,
    counts: File,
    begun: RefCell<Begun>,
}

/// The processes that have begun, and those of them that may still run.
#[derive(Default)]
struct Begun {
    number: usize,
    running: Vec<Process>,
}

impl Counters {
    pub(super) fn new() -> Result<Self> {
        if LIBRARY.is_empty() {
            bail!(
                "count works on Linux with glibc; this plimsoll was built for another target, so use the suite instead"
            );
        }
        let file = |name: &str| -> Result<File> {
            let file = memfd_create(name, MemfdFlags::CLOEXEC);
            Ok(File::from(file.context("cannot make a file in memory")?))
        };
        let mut library = file("plimsoll-preload")?;
        library.write_all(LIBRARY).context("cannot write a file in memory")?;
        let counts = file("plimsoll-counts")?;
        counts::prepare(&counts).context("cannot write a file in memory")?;
        Ok(Self { library, counts, begun: RefCell::default() })
    }

    /// The variables that make a program count. A list of libraries that the user preloads is kept, behind ours.
    pub(super) fn environment(&self) -> [(&'static str, OsString); 2] {
        let mut libraries = OsString::from(path(&self.library));
        if let Some(others) = std::env::var_os("LD_PRELOAD").filter(|others| !others.is_empty()) {
            libraries.push(":");
            libraries.push(others);
        }
        [("LD_PRELOAD", libraries), (layout::VARIABLE, path(&self.counts).into())]
    }

    /// The line that is in the environment of every process that counts here, and of no other process.
    pub(super) fn mark(&self) -> String {
        format!("{}={}", layout::VARIABLE, path(&self.counts))
    }

    pub(super) fn read(&self) -> Result<Counts> {
        Counts::read(&self.counts).context("cannot read the counts")
    }

    /// Bytes of memory that the program has mapped past `malloc`.
    pub(super) fn mapped_bytes(&self) -> Result<u64> {
        counts::mapped_bytes(&self.counts).context("cannot read the counts")
    }

    /// The processes that count and still run; none if more have begun than can be told apart.
    pub(super) fn running(&self) -> Result<Option<Vec<Process>>> {
        let begun = &mut *self.begun.borrow_mut();
        let new =
            counts::processes(&self.counts, begun.number).context("cannot read the counts")?;
        let Some(new) = new else { return Ok(None) };
        begun.number += new.len();
        let processes = std::mem::take(&mut begun.running).into_iter().chain(new);
        let now = processes.map(|process| process.now(&self.counts)).collect::<Result<_, _>>();
        begun.running = now.context("cannot read the counts")?;
        // A process that begins has a slot before it has written its id there.
        begun.running.retain(|process| process.pid == 0 || proc::is_alive(process.pid));
        Ok(Some(begun.running.clone()))
    }
}

/// A path without a space or a colon, which would end it in `LD_PRELOAD`.
fn path(file: &File) -> String {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd())
}

/// Whether our library is among the mapped files of a process.
pub(super) fn is_loaded(mapped: &BTreeSet<PathBuf>) -> bool {
    mapped.iter().any(|file| file.to_string_lossy().starts_with(MAPPED))
}
