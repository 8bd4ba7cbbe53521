//! Memory, processor time and descriptors of this process, read without allocating.

use std::fs::File;
use std::os::unix::fs::FileExt;

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// The whole process at one moment, with all that runs in it. A number that the system does not have is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Process {
    /// Linux updates it lazily, so it may be off by some pages.
    pub(crate) resident_bytes: Option<u64>,
    /// Of all threads since the process began.
    pub(crate) cpu_ns: Option<u64>,
    pub(crate) open_fds: Option<u64>,
}

/// The files of procfs with these numbers, held open: reading them takes three system calls and no path.
#[derive(Debug)]
pub(crate) struct Files {
    statm: Option<File>,
    fd: Option<File>,
}

impl Files {
    /// Opens those files that exist.
    pub(crate) fn open() -> Self {
        let open = |path| File::open(path).ok();
        Self { statm: open("/proc/self/statm"), fd: open("/proc/self/fd") }
    }

    pub(crate) fn read(&self) -> Process {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        Process {
            resident_bytes: self.statm.as_ref().and_then(resident_bytes),
            cpu_ns: Some(cpu.tv_sec.unsigned_abs() * 1_000_000_000 + cpu.tv_nsec.unsigned_abs()),
            open_fds: self.fd.as_ref().and_then(open_fds),
        }
    }
}

/// The second number of `statm`, which counts pages.
fn resident_bytes(statm: &File) -> Option<u64> {
    let mut text = [0; 128];
    let length = statm.read_at(&mut text, 0).ok()?;
    let pages = text[..length].split(|byte| *byte == b' ').nth(1)?;
    let pages: u64 = std::str::from_utf8(pages).ok()?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// The size of the folder, which Linux has since version 6.2 and which is 0 before. Listing the folder four times a
/// second would be too expensive for a server with ten thousand connections.
fn open_fds(fd: &File) -> Option<u64> {
    Some(fd.metadata().ok()?.len()).filter(|count| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_memory_processor_time_and_descriptors() {
        let process = Files::open().read();
        // On every machine a test binary's code is larger, and a run takes longer.
        assert!(process.resident_bytes.is_some_and(|bytes| bytes > 100_000), "{process:?}");
        assert!(process.cpu_ns.is_some_and(|ns| ns > 0), "{process:?}");
        assert!(process.open_fds.is_none_or(|count| count >= 3), "{process:?}");
    }

    #[test]
    fn processor_time_only_grows() {
        let files = Files::open();
        let before = files.read().cpu_ns;
        assert!(files.read().cpu_ns >= before);
    }

    #[test]
    fn numbers_of_files_that_cannot_be_opened_are_none() {
        let process = Files { statm: None, fd: None }.read();
        assert_eq!((process.resident_bytes, process.open_fds), (None, None));
    }
}
