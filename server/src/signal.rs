use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// An event that happens once and wakes all tasks that wait for it.
///
/// The flag is for tasks that are awake: reading it costs one load, where polling the future takes a lock that all
/// connections share.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    fired: AtomicBool,
    notify: Notify,
    /// Polls of the futures that wait for it. A session polls them once; traffic only reads the flag.
    polls: AtomicU64,
}

impl Signal {
    pub(crate) fn fire(&self) {
        self.fired.store(true, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    pub(crate) fn is_fired(&self) -> bool {
        self.fired.load(Ordering::SeqCst)
    }

    /// Resolves once it has fired.
    pub(crate) fn fired(&self) -> Fired<'_> {
        // Made before the flag is read: an event in between wakes it.
        Fired { signal: self, notified: self.notify.notified() }
    }

    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Ordering::Relaxed)
    }
}

pin_project! {
    /// Waits for a [`Signal`].
    pub(crate) struct Fired<'a> {
        signal: &'a Signal,
        #[pin]
        notified: Notified<'a>,
    }
}

impl Future for Fired<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.signal.polls.fetch_add(1, Ordering::Relaxed);
        if self.signal.is_fired() { Poll::Ready(()) } else { self.project().notified.poll(cx) }
    }
}

/// Drives `future` to its end, or returns `None` as soon as `signal` fires.
///
/// The signal's future is polled once, at the first pause; later wake-ups only read its flag. This is correct as long
/// as the task keeps its waker, as a spawned task does.
///
/// The future comes pinned: an async function that pins its own argument reserves room for it twice.
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
