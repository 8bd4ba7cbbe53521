//! The server's source of time: the machine's clock, or one that a test moves by hand.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use pin_project_lite::pin_project;
use tokio::sync::Notify;

use crate::lock::lock;

/// A source of time for ticks and timeouts. Cheap to clone.
///
/// Tokio's own paused clock is no substitute: it jumps ahead whenever the runtime waits, and a runtime that serves
/// real sockets waits all the time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's monotonic clock.
    Real(Instant),
    /// Stands still until [`ManualClock::advance`].
    Manual(ManualClock),
}

impl Clock {
    /// Real time, counted from now.
    #[must_use]
    pub fn real() -> Self {
        Self::Real(Instant::now())
    }

    /// Time since the clock was created.
    #[must_use]
    pub fn now(&self) -> Duration {
        match self {
            Self::Real(start) => start.elapsed(),
            Self::Manual(clock) => clock.now(),
        }
    }

    /// Resolves once [`Clock::now`] has reached `at`.
    #[track_caller]
    pub fn sleep_until(&self, at: Duration) -> impl Future<Output = ()> + '_ {
        if let Self::Manual(clock) = self {
            lock(&clock.0.timers).add(Location::caller());
        }
        async move {
            match self {
                // A timer is polled behind the reads of a task, which may have used up the task's budget.
                Self::Real(start) => {
                    let sleep = tokio::time::sleep_until((*start + at).into());
                    tokio::task::coop::unconstrained(sleep).await;
                }
                Self::Manual(clock) => clock.sleep_until(at).await,
            }
        }
    }

    /// Resolves after `duration`, counted from this call and not from the first poll.
    #[track_caller]
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + '_ {
        self.sleep_until(self.now() + duration)
    }
}

/// Time that moves only by [`ManualClock::advance`]. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<Hands>);

#[derive(Debug, Default)]
struct Hands {
    now_ns: AtomicU64,
    moved: Notify,
    timers: Mutex<Timers>,
}

/// The timers that were made on a [`ManualClock`], so that a test can say that traffic makes none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timers {
    /// Made since the clock was created.
    pub made: u64,
    /// The line that made the last one.
    pub last: Option<&'static Location<'static>>,
}

impl Timers {
    fn add(&mut self, by: &'static Location<'static>) {
        *self = Self { made: self.made + 1, last: Some(by) };
    }
}

impl ManualClock {
    /// Moves time by `by` and wakes every task that is due. Allocates nothing.
    pub fn advance(&self, by: Duration) {
        let by =
            u64::try_from(by.as_nanos()).expect("a test advances time by less than five centuries");
        self.0.now_ns.fetch_add(by, Ordering::AcqRel);
        self.0.moved.notify_waiters();
    }

    /// The timers so far.
    #[must_use]
    pub fn timers(&self) -> Timers {
        *lock(&self.0.timers)
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.now_ns.load(Ordering::Acquire))
    }

    async fn sleep_until(&self, at: Duration) {
        loop {
            let mut moved = std::pin::pin!(self.0.moved.notified());
            moved.as_mut().enable();
            if self.now() >= at {
                return;
            }
            moved.await;
        }
    }
}

/// Runs hyper's header timeout on a [`Clock`].
#[derive(Debug)]
pub(crate) struct HttpTimer {
    clock: Clock,
    /// The clock's zero as an instant: hyper counts in instants.
    origin: Instant,
}

impl HttpTimer {
    pub(crate) fn new(clock: Clock) -> Self {
        let origin = match &clock {
            Clock::Real(start) => *start,
            Clock::Manual(_) => Instant::now(),
        };
        Self { clock, origin }
    }
}

impl Timer for HttpTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let clock = self.clock.clone();
        let at = deadline.saturating_duration_since(self.origin);
        Box::pin(HttpSleep { sleep: async move { clock.sleep_until(at).await } })
    }

    fn now(&self) -> Instant {
        self.origin + self.clock.now()
    }
}

pin_project! {
    struct HttpSleep<F> {
        #[pin]
        sleep: F,
    }
}

impl<F: Future<Output = ()>> Future for HttpSleep<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().sleep.poll(cx)
    }
}

impl<F: Future<Output = ()> + Send + Sync> Sleep for HttpSleep<F> {}

/// `duration` in nanoseconds.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;

    use super::*;

    #[test]
    fn a_timer_fires_in_a_task_that_has_used_up_its_budget() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let clock = Clock::real();
        let mut due = Box::pin(clock.sleep_until(Duration::ZERO));
        let mut is_armed = false;
        runtime.expect("a runtime").block_on(poll_fn(|cx| {
            if !is_armed {
                is_armed = true;
                return due.as_mut().poll(cx);
            }
            // Only the timer wakes this task.
            while pin!(tokio::task::coop::consume_budget()).poll(cx).is_ready() {}
            assert!(due.as_mut().poll(cx).is_ready());
            Poll::Ready(())
        }));
    }
}
