//! The handle by which a worker controls one of its virtual users.

use std::cell::{Cell, RefCell, RefMut};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use load_plan::metrics::Tally;
use load_plan::profile::Pace;

use super::arrivals::Arrivals;
use super::silence::Silence;

/// Shared by the worker, the user and its connection.
#[derive(Debug)]
pub(super) struct UserHandle {
    index: u32,
    arrivals: RefCell<Arrivals>,
    has_begun: Cell<bool>,
    silence: RefCell<Silence>,
    /// Whether nothing can be sent: the connection is full, closes, or is not open.
    is_held_up: Cell<bool>,
    /// Messages that were held up at the last [`UserHandle::count_due`].
    held_up: Cell<u64>,
    is_leaving: Cell<bool>,
    is_open: Cell<bool>,
    storm_jitter_ns: Cell<Option<u64>>,
    waker: RefCell<Option<Waker>>,
}

impl UserHandle {
    pub(super) fn new(index: u32, seed: u64) -> Rc<Self> {
        Rc::new(Self {
            index,
            arrivals: RefCell::new(Arrivals::new(index, seed)),
            has_begun: Cell::new(false),
            silence: RefCell::default(),
            is_held_up: Cell::new(true),
            held_up: Cell::new(0),
            is_leaving: Cell::new(false),
            is_open: Cell::new(false),
            storm_jitter_ns: Cell::new(None),
            waker: RefCell::new(None),
        })
    }

    /// The user's number among all users of the run.
    pub(super) fn index(&self) -> u32 {
        self.index
    }

    /// The messages that are due, in an open loop.
    pub(super) fn arrivals(&self) -> RefMut<'_, Arrivals> {
        self.arrivals.borrow_mut()
    }

    /// The time without messages, of a subscription.
    pub(super) fn silence(&self) -> RefMut<'_, Silence> {
        self.silence.borrow_mut()
    }

    /// Whether the connection takes no message, now.
    pub(super) fn hold_up(&self, is_held_up: bool) {
        self.is_held_up.set(is_held_up);
    }

    /// Counts the messages that became due before `until_ns`, and those that are held up now.
    pub(super) fn count_due(&self, until_ns: u64, counts: &mut Tally) {
        let mut arrivals = self.arrivals();
        counts.due += arrivals.count(until_ns);
        let held_up = if self.is_held_up.get() { arrivals.unsent() } else { 0 };
        counts.held_up += held_up.cast_signed() - self.held_up.replace(held_up).cast_signed();
    }

    /// Messages are due from `begin_ns` on, if none was before.
    pub(super) fn begin(&self, pace: Pace, stage: usize, begin_ns: u64) {
        if !self.has_begun.replace(true) {
            self.arrivals().follow(pace, stage, begin_ns);
        }
    }

    /// Follows the pace of another stage from `begin_ns` on.
    pub(super) fn follow(&self, pace: Pace, stage: usize, begin_ns: u64) {
        if self.has_begun.get() {
            self.arrivals().follow(pace, stage, begin_ns);
        }
        self.wake();
    }

    /// Closes the connection for good. Nothing more is due from `at_ns` on.
    pub(super) fn leave(&self, at_ns: u64) {
        self.arrivals().end(at_ns);
        self.is_leaving.set(true);
        self.wake();
    }

    /// Closes the connection, if there is one, which comes back within `jitter_ns`.
    pub(super) fn storm(&self, jitter_ns: u64) {
        if self.is_open.get() {
            self.storm_jitter_ns.set(Some(jitter_ns));
            self.wake();
        }
    }

    /// Whether a connection is open, from now on.
    pub(super) fn open(&self, is_open: bool) {
        self.is_open.set(is_open);
    }

    /// Whether the user leaves for good.
    pub(super) fn is_leaving(&self) -> bool {
        self.is_leaving.get()
    }

    /// Whether the connection is to be closed, for good or in a storm.
    pub(super) fn must_close(&self) -> bool {
        self.is_leaving() || self.storm_jitter_ns.get().is_some()
    }

    /// The time within which to come back from a storm, if there was one.
    pub(super) fn take_storm(&self) -> Option<u64> {
        self.storm_jitter_ns.take()
    }

    /// Wakes `waker` when the worker says something.
    pub(super) fn remember(&self, waker: &Waker) {
        let mut own = self.waker.borrow_mut();
        if own.as_ref().is_none_or(|own| !own.will_wake(waker)) {
            *own = Some(waker.clone());
        }
    }

    /// Resolves once the user leaves for good.
    pub(super) async fn leaving(&self) {
        poll_fn(|cx| {
            self.remember(cx.waker());
            if self.is_leaving() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}
