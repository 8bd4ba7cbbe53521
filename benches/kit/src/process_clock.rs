//! The processor time of other processes, to the nanosecond.
//!
//! `/proc/<pid>/schedstat` and `stat` move in ticks; the process clock (`clock_getcpuclockid(3)`) asks the scheduler.

use std::fs;
use std::io;
use std::time::Duration;

/// The clocks of all processes of a process group: a command may serve from a child.
#[derive(Debug)]
pub struct ProcessClock {
    clocks: Vec<libc::clockid_t>,
}

impl ProcessClock {
    /// The clocks of the processes that are in the group `pgid` now.
    ///
    /// # Errors
    ///
    /// If the group is empty, or a clock cannot be read.
    pub fn of_group(pgid: u32) -> io::Result<Self> {
        let mut clocks = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<libc::pid_t>().ok()) else {
                continue;
            };
            if group_of(pid) == Some(pgid) {
                clocks.push(clock_of(pid)?);
            }
        }
        if clocks.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the process has ended"));
        }
        Ok(Self { clocks })
    }

    /// Processor time so far, user and system, of all threads.
    ///
    /// # Errors
    ///
    /// If one of the processes has ended.
    pub fn read(&self) -> io::Result<Duration> {
        self.clocks.iter().map(|clock| read(*clock)).sum()
    }
}

/// The fifth field of `/proc/<pid>/stat`, counted from the last parenthesis: the second field is a name in parentheses
/// and may hold anything.
fn group_of(pid: libc::pid_t) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, behind) = stat.rsplit_once(')')?;
    behind.split_ascii_whitespace().nth(2)?.parse().ok()
}

fn clock_of(pid: libc::pid_t) -> io::Result<libc::clockid_t> {
    let mut clock = 0;
    // SAFETY: the pointer is to a live clockid_t, which is all the function writes.
    match unsafe { libc::clock_getcpuclockid(pid, &raw mut clock) } {
        0 => Ok(clock),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

fn read(clock: libc::clockid_t) -> io::Result<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec, which is all the function writes.
    if unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Ok(Duration::new(seconds.unwrap_or_default(), nanoseconds.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_increases() -> io::Result<()> {
        let group = rustix::process::getpgrp().as_raw_pid().unsigned_abs();
        let clock = ProcessClock::of_group(group)?;
        let before = clock.read()?;
        std::hint::black_box((0..1000_u64).sum::<u64>());
        assert!(clock.read()? > before);
        Ok(())
    }

    #[test]
    fn the_clock_of_an_empty_group_is_an_error() {
        let error = ProcessClock::of_group(u32::MAX).expect_err("no process is in that group");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
