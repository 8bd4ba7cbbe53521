//! The alarm that wakes a worker at its next deadline.

use std::os::fd::OwnedFd;
use std::task::{Context, Poll, ready};

use anyhow::{Context as _, Result};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

use super::host::Host;

/// One deadline at a time.
#[derive(Debug)]
pub(super) enum Alarm {
    /// tokio's own timer has a grain of a millisecond, which would be most of the lag that is measured.
    TimerFd(AsyncFd<OwnedFd>),
    /// Tests: the grain is part of the virtual time.
    #[cfg(feature = "testing")]
    Tokio(std::cell::RefCell<Option<std::pin::Pin<Box<tokio::time::Sleep>>>>),
}

impl Alarm {
    /// Must be called inside a runtime.
    ///
    /// # Errors
    ///
    /// If the machine has no timer left.
    pub(super) fn new(host: Host) -> Result<Self> {
        match host {
            Host::Machine => timer_fd().map(Self::TimerFd),
            #[cfg(feature = "testing")]
            Host::Virtual(_) => Ok(Self::Tokio(std::cell::RefCell::default())),
        }
    }

    /// Replaces the deadline by one `ahead_ns` from now; none never comes.
    pub(super) fn set(&self, ahead_ns: Option<u64>) -> Result<()> {
        match self {
            Self::TimerFd(fd) => {
                // At least a nanosecond: all zeros disarm the timer.
                let ahead_ns = ahead_ns.map_or(0, |ns| ns.max(1));
                let it_value = Timespec {
                    tv_sec: (ahead_ns / 1_000_000_000).cast_signed(),
                    tv_nsec: (ahead_ns % 1_000_000_000).cast_signed(),
                };
                let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
                let time = Itimerspec { it_interval, it_value };
                timerfd_settime(fd.get_ref(), TimerfdTimerFlags::empty(), &time)
                    .context("cannot set a timer")?;
            }
            #[cfg(feature = "testing")]
            Self::Tokio(sleep) => {
                let sleep_for =
                    |ns| Box::pin(tokio::time::sleep(std::time::Duration::from_nanos(ns)));
                *sleep.borrow_mut() = ahead_ns.map(sleep_for);
            }
        }
        Ok(())
    }

    /// Ready once the deadline has come; the alarm is then without one.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match self {
            Self::TimerFd(fd) => {
                let mut guard = ready!(fd.poll_read_ready(cx))?;
                let mut expirations = [0; 8];
                // There is nothing to read where the deadline was replaced after it had come.
                let _ = rustix::io::read(fd.get_ref(), &mut expirations);
                guard.clear_ready();
            }
            #[cfg(feature = "testing")]
            Self::Tokio(sleep) => {
                let mut sleep = sleep.borrow_mut();
                let Some(set) = &mut *sleep else { return Poll::Pending };
                ready!(set.as_mut().poll(cx));
                *sleep = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn timer_fd() -> Result<AsyncFd<OwnedFd>> {
    // A thread's timers may be late by its slack, 50 µs unless it asks for less. Best effort: lag is measured.
    // SAFETY: the option takes one integer and touches no memory.
    let _ = unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) };
    let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
    let fd = timerfd_create(TimerfdClockId::Monotonic, flags).context("cannot make a timer")?;
    // SAFETY: the descriptor is ours, stays the same, and is open for as long as it is watched.
    unsafe { AsyncFd::register(fd) }.context("cannot watch a timer")
}
