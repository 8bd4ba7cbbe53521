//! A place for one connection: it connects, and connects again, until it is told to leave.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::problem::Problem;
use super::schedule::{back_off_ns, uniform};
use super::session::Session;
use super::worker::Worker;
use bench_kit::random::SplitMix64;
use load_plan::outcome::Ending;

/// What the worker and the connection in a seat tell each other.
#[derive(Debug)]
pub(super) struct Seat {
    index: u32,
    /// For good.
    is_leaving: Cell<bool>,
    /// In the middle of a storm: come back after a random part of so many nanoseconds.
    storm_ns: Cell<Option<u64>>,
    waker: RefCell<Option<Waker>>,
}

impl Seat {
    pub(super) fn new(index: u32) -> Rc<Self> {
        Rc::new(Self {
            index,
            is_leaving: Cell::new(false),
            storm_ns: Cell::new(None),
            waker: RefCell::new(None),
        })
    }

    /// Its number among all connections of the run.
    pub(super) fn index(&self) -> u32 {
        self.index
    }

    /// Closes the connection for good.
    pub(super) fn leave(&self) {
        self.is_leaving.set(true);
        self.wake();
    }

    /// Closes the connection; it comes back within `jitter_ns`.
    pub(super) fn storm(&self, jitter_ns: u64) {
        self.storm_ns.set(Some(jitter_ns));
        self.wake();
    }

    /// Whether the connection is to be closed.
    pub(super) fn is_leaving(&self) -> bool {
        self.is_leaving.get() || self.storm_ns.get().is_some()
    }

    /// Whom to wake when that changes.
    pub(super) fn remember(&self, waker: &Waker) {
        let mut mine = self.waker.borrow_mut();
        if mine.as_ref().is_none_or(|mine| !mine.will_wake(waker)) {
            *mine = Some(waker.clone());
        }
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    async fn left(&self) {
        poll_fn(|cx| {
            self.remember(cx.waker());
            if self.is_leaving.get() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// The life of a seat.
pub(super) async fn occupy(worker: Rc<Worker>, seat: Rc<Seat>) {
    let mut rng =
        SplitMix64::new(worker.profile.traffic.seed ^ u64::from(seat.index).rotate_left(40));
    let mut failures = 0;
    while !seat.is_leaving.get() {
        let ended = attend(&worker, &seat, &mut failures).await;
        let wait_ns = match (&ended, seat.storm_ns.take()) {
            (_, Some(jitter_ns)) => (uniform(&mut rng) * jitter_ns as f64) as u64,
            // Closed as planned: the next one at once.
            (Ok(()), None) => 0,
            (Err(_), None) => back_off_ns(failures, &mut rng),
        };
        if let Err(problem) = ended {
            failures += 1;
            worker.failed(&problem);
        }
        if wait_ns > 0 && !seat.is_leaving.get() {
            let until_ns = worker.clock.now_ns() + wait_ns;
            tokio::select! { () = worker.timers.sleep_until(until_ns) => {}, () = seat.left() => {} }
        }
    }
    worker.is_left();
}

/// One attempt, from the first packet to its end; the end is counted by the caller, once.
async fn attend(worker: &Worker, seat: &Seat, failures: &mut u32) -> Result<(), Problem> {
    let id = worker.attempt();
    let begun_ns = worker.clock.now_ns();
    let connected = tokio::select! {
        biased;
        connected = Box::pin(worker.endpoint.connect_wired(worker.clock)) => connected,
        () = seat.left() => {
            let words = "the run ended before the connection was open".to_owned();
            Err(Problem::of(Ending::Interrupted, words))
        }
    };
    let mut session = Box::new(Session::new(worker, seat, connected?, id));
    *failures = 0;
    worker.opened(begun_ns);
    let ended = match session.greet() {
        Ok(()) => poll_fn(|cx| session.poll(cx)).await,
        Err(problem) => Err(problem),
    };
    worker.closed();
    if ended.is_ok() {
        worker.ended(Ending::Clean);
    }
    ended
}
