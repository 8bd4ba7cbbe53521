//! The counting library and its file, as descriptors of this process that the program opens by their names in `/proc`.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;

use anyhow::{Context, Result, bail};
use plimsoll_preload::counts::{self, Counts, Process};
use plimsoll_preload::{LIBRARY, layout};
use rustix::fs::{MemfdFlags, memfd_create};

/// The library's name in `/proc/PID/maps`.
pub(super) const MAPPED: &str = "/memfd:plimsoll-preload";

/// A new file of counts, all 0. Nothing lies on a disk, and nothing is left when this process ends.
pub(super) struct Counters {
    library: File,
    counts: File,
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
        Ok(Self { library, counts })
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

    /// The processes that have begun to count; none if they were too many.
    pub(super) fn processes(&self) -> Result<Option<Vec<Process>>> {
        counts::processes(&self.counts).context("cannot read the counts")
    }
}

/// A path without a space or a colon, which would end it in `LD_PRELOAD`.
fn path(file: &File) -> String {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd())
}
