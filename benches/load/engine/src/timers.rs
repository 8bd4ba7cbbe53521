//! Deadlines of one worker, by the nanosecond. tokio's own timer has a grain of a millisecond, which would be most of
//! what is measured.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::os::fd::OwnedFd;
use std::task::{Context, Poll, Waker};

use anyhow::{Context as _, Result};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

use super::clock::Clock;

/// A heap of wakers over one `timerfd`.
#[derive(Debug)]
pub(super) struct Timers {
    clock: Clock,
    fd: AsyncFd<OwnedFd>,
    heap: RefCell<BinaryHeap<Reverse<Deadline>>>,
    armed_ns: Cell<u64>,
    driver: RefCell<Option<Waker>>,
}

#[derive(Debug)]
struct Deadline {
    at_ns: u64,
    waker: Waker,
}

impl PartialEq for Deadline {
    fn eq(&self, other: &Self) -> bool {
        self.at_ns == other.at_ns
    }
}

impl Eq for Deadline {}

impl PartialOrd for Deadline {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Deadline {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at_ns.cmp(&other.at_ns)
    }
}

impl Timers {
    /// Must be called inside a runtime.
    pub(super) fn new(clock: Clock) -> Result<Self> {
        // A thread's timers may be late by its slack, 50 µs unless it asks for less. Best effort: lag is measured.
        // SAFETY: the option takes one integer and touches no memory.
        let _ = unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) };
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let fd = timerfd_create(TimerfdClockId::Monotonic, flags).context("cannot make a timer")?;
        // SAFETY: the descriptor is ours, stays the same, and is open for as long as it is watched.
        let fd = unsafe { AsyncFd::register(fd) }.context("cannot watch a timer")?;
        Ok(Self {
            clock,
            fd,
            heap: RefCell::default(),
            armed_ns: Cell::new(u64::MAX),
            driver: RefCell::default(),
        })
    }

    /// Wakes whoever `cx` is of at `at_ns` or soon after. A deadline cannot be taken back: who is woken looks again.
    pub(super) fn wake_at(&self, at_ns: u64, cx: &Context<'_>) {
        self.heap.borrow_mut().push(Reverse(Deadline { at_ns, waker: cx.waker().clone() }));
        if at_ns < self.armed_ns.get()
            && let Some(driver) = &*self.driver.borrow()
        {
            driver.wake_by_ref();
        }
    }

    /// Resolves at `at_ns`.
    pub(super) async fn sleep_until(&self, at_ns: u64) {
        let mut is_registered = false;
        poll_fn(|cx| {
            if self.clock.now_ns() >= at_ns {
                return Poll::Ready(());
            }
            if !is_registered {
                self.wake_at(at_ns, cx);
                is_registered = true;
            }
            Poll::Pending
        })
        .await;
    }

    /// Runs the timers; one task of a worker does, and never ends but by an error.
    pub(super) async fn drive(&self) -> Result<()> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.driver.borrow().as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            *self.driver.borrow_mut() = Some(cx.waker().clone());
        }
        loop {
            let now_ns = self.clock.now_ns();
            let next_ns = self.wake_due(now_ns);
            if next_ns != self.armed_ns.get() {
                self.arm(next_ns)?;
            }
            match self.fd.poll_read_ready(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(guard) => {
                    let mut guard = guard?;
                    let mut expirations = [0; 8];
                    // Nothing to read is a wake-up that was overtaken by another arming.
                    let _ = rustix::io::read(self.fd.get_ref(), &mut expirations);
                    guard.clear_ready();
                    self.armed_ns.set(u64::MAX);
                }
            }
        }
    }

    /// Wakes what is due; when the next one is.
    fn wake_due(&self, now_ns: u64) -> u64 {
        let mut heap = self.heap.borrow_mut();
        while let Some(Reverse(next)) = heap.peek() {
            if next.at_ns > now_ns {
                return next.at_ns;
            }
            if let Some(Reverse(due)) = heap.pop() {
                due.waker.wake();
            }
        }
        u64::MAX
    }

    fn arm(&self, at_ns: u64) -> Result<()> {
        let it_value = match at_ns {
            // All zeros disarm it.
            u64::MAX => Timespec { tv_sec: 0, tv_nsec: 0 },
            at_ns => {
                // At least a nanosecond ahead, or it would be disarmed.
                let ahead = at_ns.saturating_sub(self.clock.now_ns()).max(1);
                Timespec {
                    tv_sec: (ahead / 1_000_000_000).cast_signed(),
                    tv_nsec: (ahead % 1_000_000_000).cast_signed(),
                }
            }
        };
        let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        timerfd_settime(
            self.fd.get_ref(),
            TimerfdTimerFlags::empty(),
            &Itimerspec { it_interval, it_value },
        )
        .context("cannot set a timer")?;
        self.armed_ns.set(at_ns);
        Ok(())
    }
}
