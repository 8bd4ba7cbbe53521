use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};

use tokio::sync::Notify;

use crate::signal::Signal;

/// The two steps of a shutdown, and the connections that the first one waits for: WebSockets, and those with a request
/// that is not answered.
///
/// Connections that wait for a request do not count, nor do those that were accepted in the drain: a peer that asks again
/// and again whether the server is ready must not keep it from ending.
#[derive(Debug, Default)]
pub(crate) struct Shutdown {
    /// Sessions close with 1001, and every answer is the last of its connection.
    pub(crate) drain: Signal,
    /// Connections that are still open are dropped. Those that are not busy were waiting for a request.
    pub(crate) kill: Signal,
    /// Sequentially consistent, as the signal of the drain is: a connection that does not see it is seen by the drain.
    busy: AtomicU64,
    done: Notify,
    dropped: AtomicU64,
}

impl Shutdown {
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

    /// Peers that the drain did not end in order, of the connections that have ended.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }
}

/// Whether one connection is busy. At its end it is not.
pub(crate) struct Busy<'a> {
    shutdown: &'a Shutdown,
    /// Whether the connection was accepted before the drain began.
    counts: bool,
    /// Atomic, because a future that holds a reference to a `Cell` cannot move between threads.
    now: AtomicBool,
    /// Whether the peer was dropped, because its time was over.
    dropped: AtomicBool,
}

impl<'a> Busy<'a> {
    pub(crate) fn new(shutdown: &'a Shutdown) -> Self {
        let counts = !shutdown.drain.is_fired();
        Self { shutdown, counts, now: AtomicBool::new(false), dropped: AtomicBool::new(false) }
    }

    pub(crate) fn begin(&self) {
        if self.counts && !self.now.swap(true, Relaxed) {
            self.shutdown.busy.fetch_add(1, SeqCst);
        }
    }

    pub(crate) fn end(&self) {
        // Only the last one takes the lock, when no other connection is busy.
        if self.now.swap(false, Relaxed) && self.shutdown.busy.fetch_sub(1, SeqCst) == 1 {
            self.shutdown.done.notify_waiters();
        }
    }

    /// Takes note that the peer's time is over.
    pub(crate) fn drop_peer(&self) {
        self.dropped.store(true, Relaxed);
    }
}

impl Drop for Busy<'_> {
    /// Counts the peer once, whether its own time was over or that of the drain.
    fn drop(&mut self) {
        let late = self.dropped.load(Relaxed) && self.shutdown.drain.is_fired();
        let cut = self.now.load(Relaxed) && self.shutdown.kill.is_fired();
        if self.counts && (late || cut) {
            self.shutdown.dropped.fetch_add(1, Relaxed);
        }
        self.end();
    }
}
