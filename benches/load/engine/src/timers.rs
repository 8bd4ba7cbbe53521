//! Deadlines of one worker, by the nanosecond.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

use anyhow::Result;

use super::alarm::Alarm;
use super::clock::Clock;

/// A heap of wakers over one [`Alarm`].
#[derive(Debug)]
pub(super) struct Timers {
    clock: Clock,
    alarm: Alarm,
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
        Ok(Self {
            clock,
            alarm: Alarm::new(clock.host())?,
            heap: RefCell::default(),
            armed_ns: Cell::new(u64::MAX),
            driver: RefCell::default(),
        })
    }

    /// Wakes the task behind `cx` at or shortly after `at_ns`. Deadlines cannot be cancelled; a woken task checks its
    /// state again.
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

    /// Runs the timers, in one task of a worker. Ends only by an error.
    pub(super) async fn drive(&self) -> Result<()> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        if self.driver.borrow().as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            *self.driver.borrow_mut() = Some(cx.waker().clone());
        }
        loop {
            let next_ns = self.wake_due(self.clock.now_ns());
            if next_ns != self.armed_ns.get() {
                let ahead_ns =
                    (next_ns != u64::MAX).then(|| next_ns.saturating_sub(self.clock.now_ns()));
                self.alarm.set(ahead_ns)?;
                self.armed_ns.set(next_ns);
            }
            match self.alarm.poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(came) => {
                    came?;
                    self.armed_ns.set(u64::MAX);
                }
            }
        }
    }

    /// Wakes the tasks whose deadlines have come; returns the next deadline, or [`u64::MAX`].
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
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::host::Host;
    use crate::testing::in_virtual_time;
    use crate::virtual_time::VirtualTime;

    const MS: u64 = 1_000_000;

    /// When tasks that sleep until `deadlines`, in milliseconds, are woken, in order.
    fn woken(deadlines: &[u64]) -> Vec<(u64, u64)> {
        in_virtual_time(async {
            let host = Host::Virtual(VirtualTime::starting_now(0.0));
            let clock = Clock::starting_at(host, Instant::now());
            let timers = Rc::new(Timers::new(clock).expect("a timer in memory"));
            let order = Rc::new(RefCell::new(Vec::new()));
            for at in deadlines {
                let (timers, order, at) = (Rc::clone(&timers), Rc::clone(&order), *at);
                tokio::task::spawn_local(async move {
                    timers.sleep_until(at * MS).await;
                    order.borrow_mut().push((at, clock.now_ns() / MS));
                });
            }
            tokio::select! {
                driven = timers.drive() => driven.expect("a timer in memory does not fail"),
                () = sleep(Duration::from_secs(60)) => {}
            }
            order.take()
        })
    }

    #[test]
    fn tasks_are_woken_at_their_deadlines_in_order() {
        assert_eq!(woken(&[30, 10, 20, 10]), [(10, 10), (10, 10), (20, 20), (30, 30)]);
    }

    #[test]
    fn a_deadline_that_has_passed_wakes_at_once() {
        assert_eq!(woken(&[0]), [(0, 0)]);
    }

    #[test]
    fn an_earlier_deadline_than_the_armed_one_is_not_missed() {
        in_virtual_time(async {
            let host = Host::Virtual(VirtualTime::starting_now(0.0));
            let clock = Clock::starting_at(host, Instant::now());
            let timers = Timers::new(clock).expect("a timer in memory");
            let sleepers = async {
                let later = timers.sleep_until(1_000 * MS);
                let sooner = async {
                    // The driver is armed with the later deadline by now.
                    sleep(Duration::from_millis(5)).await;
                    timers.sleep_until(10 * MS).await;
                    assert_eq!(clock.now_ns(), 10 * MS);
                };
                tokio::join!(later, sooner);
                assert_eq!(clock.now_ns(), 1_000 * MS);
            };
            tokio::select! {
                driven = timers.drive() => driven.expect("a timer in memory does not fail"),
                () = sleepers => {}
            }
        });
    }

    #[test]
    fn a_timer_of_the_machine_wakes_after_its_deadline() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let clock = Clock::starting_at(Host::Machine, Instant::now());
            let timers = Timers::new(clock).expect("the machine has a timer");
            tokio::select! {
                driven = timers.drive() => driven.expect("the timer is set"),
                () = timers.sleep_until(100_000) => assert!(clock.now_ns() >= 100_000),
            }
        });
    }
}
