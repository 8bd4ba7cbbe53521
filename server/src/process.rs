//! What the system says of this process, asked without allocating.

use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags, fstat, openat};
use rustix::io::pread;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// The whole process at one moment, whoever else lives in it. What the system does not tell is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Process {
    /// Resident memory, in bytes. Linux counts it lazily: it may be some pages late.
    pub resident_bytes: Option<u64>,
    /// Processor time of all threads since the process began, in nanoseconds.
    pub cpu_ns: Option<u64>,
    /// Open descriptors.
    pub open_fds: Option<u64>,
}

/// The places in procfs where the numbers are, held open: a look costs three system calls and no path.
#[derive(Debug)]
pub(crate) struct Files {
    statm: Option<OwnedFd>,
    fd: Option<OwnedFd>,
}

impl Files {
    /// Opens what there is.
    pub(crate) fn open() -> Self {
        let open = |path, flags| openat(CWD, path, OFlags::CLOEXEC | flags, Mode::empty()).ok();
        Self {
            statm: open(c"/proc/self/statm", OFlags::RDONLY),
            fd: open(c"/proc/self/fd", OFlags::RDONLY | OFlags::DIRECTORY),
        }
    }

    /// The process now.
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
fn resident_bytes(statm: &OwnedFd) -> Option<u64> {
    let mut text = [0; 128];
    let length = pread(statm, &mut text, 0).ok()?;
    let pages = text[..length].split(|byte| *byte == b' ').nth(1)?;
    let pages: u64 = std::str::from_utf8(pages).ok()?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// The size of the folder: Linux says it from 6.2 on. Before that it is 0, and listing the folder four times a second
/// would cost a server with ten thousand connections more than the number is worth.
fn open_fds(fd: &OwnedFd) -> Option<u64> {
    let size = fstat(fd).ok()?.st_size;
    u64::try_from(size).ok().filter(|count| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_memory_processor_time_and_descriptors() {
        let process = Files::open().read();
        // Less than a test binary's own text, and less than any run takes, on no machine.
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
    fn what_cannot_be_opened_is_not_told() {
        let process = Files { statm: None, fd: None }.read();
        assert_eq!((process.resident_bytes, process.open_fds), (None, None));
    }
}
