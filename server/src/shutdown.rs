use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use tokio::sync::Notify;

/// A thing that happens once, to everybody who waits for it.
///
/// Beside the waiting there is a plain flag, so that a connection which is awake anyway looks at it for the price of
/// one load instead of polling a future that takes a lock all connections share.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    fired: AtomicBool,
    notify: Notify,
}

impl Signal {
    pub(crate) fn fire(&self) {
        self.fired.store(true, Ordering::Release);
        self.notify.notify_waiters();
    }

    pub(crate) fn is_fired(&self) -> bool {
        self.fired.load(Ordering::Acquire)
    }

    pub(crate) async fn fired(&self) {
        let mut notified = std::pin::pin!(self.notify.notified());
        notified.as_mut().enable();
        if !self.is_fired() {
            notified.await;
        }
    }
}

/// The two steps of an end: everybody is asked to leave, then nobody is asked any more.
#[derive(Debug, Default)]
pub(crate) struct Shutdown {
    /// Sessions say goodbye with 1001, idle HTTP connections close.
    pub(crate) drain: Signal,
    /// What is still there is dropped.
    pub(crate) kill: Signal,
}

/// Drives `future` to its end, or returns `None` as soon as `signal` fires.
///
/// The signal is waited for once, at the first pause; later wakes only look at its flag. That holds as long as the
/// task's waker stays the same, as it does in a spawned task.
///
/// The future comes pinned: an async function that pins its own argument holds room for it twice.
pub(crate) async fn unless_fired<F: Future>(
    signal: &Signal,
    mut future: Pin<&mut F>,
) -> Option<F::Output> {
    let mut fired = std::pin::pin!(signal.fired());
    let mut waiting = false;
    std::future::poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        if !waiting {
            waiting = true;
            return fired.as_mut().poll(cx).map(|()| None);
        }
        if signal.is_fired() { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}
