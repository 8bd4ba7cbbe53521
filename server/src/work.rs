use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};

use tokio::sync::Notify;

/// The connections that a drain waits for: WebSockets, and those with a request that is not answered.
///
/// Connections that wait for a request do not count, nor do those that were accepted in the drain: a peer that asks again
/// and again whether the server is ready must not keep it from ending.
#[derive(Debug, Default)]
pub(crate) struct Work {
    /// Sequentially consistent, as the signal of the drain is: a connection that does not see it is seen by the drain.
    busy: AtomicU64,
    done: Notify,
    dropped: AtomicU64,
}

impl Work {
    pub(crate) fn busy(&self) -> u64 {
        self.busy.load(SeqCst)
    }

    /// Resolves once no connection is busy.
    pub(crate) async fn done(&self) {
        loop {
            let mut done = std::pin::pin!(self.done.notified());
            done.as_mut().enable();
            if self.busy() == 0 {
                return;
            }
            done.await;
        }
    }

    /// Peers that were dropped in the drain.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    pub(crate) fn add_dropped(&self, peers: u64) {
        self.dropped.fetch_add(peers, Relaxed);
    }
}

/// Whether one connection is busy. At its end it is not.
pub(crate) struct Busy<'a> {
    work: &'a Work,
    counts: bool,
    /// Atomic, because a future that holds a reference to a `Cell` cannot move between threads.
    now: AtomicBool,
}

impl<'a> Busy<'a> {
    /// `counts`: whether the connection was accepted before the drain began.
    pub(crate) fn new(work: &'a Work, counts: bool) -> Self {
        Self { work, counts, now: AtomicBool::new(false) }
    }

    pub(crate) fn begin(&self) {
        if self.counts && !self.now.swap(true, Relaxed) {
            self.work.busy.fetch_add(1, SeqCst);
        }
    }

    pub(crate) fn end(&self) {
        // Only the last one takes the lock, when no other connection is busy.
        if self.now.swap(false, Relaxed) && self.work.busy.fetch_sub(1, SeqCst) == 1 {
            self.work.done.notify_waiters();
        }
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.end();
    }
}
