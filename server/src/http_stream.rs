use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::{Context as Task, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::Clock;
use crate::clock::nanoseconds;
use crate::shutdown::Busy;

/// Longest wait for a peer to take a part of what is written. Linux says that it took something once a third of the send
/// buffer is free.
pub(crate) const STALL_WITHIN: Duration = Duration::from_secs(5);

/// [`Progress::waiting_since`] while no write waits.
const NOT_WAITING: u64 = u64::MAX;

/// The stream below HTTP. It tells the task that drives the connection how that gets on, because hyper does not.
pub(crate) struct HttpStream<'a, S> {
    io: S,
    progress: &'a Progress<'a>,
}

impl<'a, S> HttpStream<'a, S> {
    pub(crate) fn new(io: S, progress: &'a Progress<'a>) -> Self {
        Self { io, progress }
    }

    pub(crate) fn into_inner(self) -> S {
        self.io
    }
}

/// How the requests and the answers of one connection get on.
pub(crate) struct Progress<'a> {
    clock: &'a Clock,
    busy: &'a Busy<'a>,
    /// Whether a request was read, or the beginning of one, that has no answer.
    asked: AtomicBool,
    /// The last four bytes that were read.
    last_read: AtomicU32,
    /// Whether the last read waits. While hyper works on requests that it has already read, it does not.
    reading: AtomicBool,
    /// When the peer last took bytes, in nanoseconds, if a write has waited since. Atomic, because a future that holds a
    /// reference to a `Cell` cannot move between threads.
    waiting_since: AtomicU64,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(clock: &'a Clock, busy: &'a Busy<'a>) -> Self {
        Self {
            clock,
            busy,
            asked: AtomicBool::new(false),
            last_read: AtomicU32::new(0),
            reading: AtomicBool::new(false),
            waiting_since: AtomicU64::new(NOT_WAITING),
        }
    }

    /// A request has its answer, which is not written yet. A part of the next one may have been read with it; not behind
    /// a body, which is the last that is read.
    pub(crate) fn answered(&self, has_body: bool) {
        let last = self.last_read.load(Relaxed).to_be_bytes();
        let is_head_over = last.ends_with(b"\n\r\n") || last.ends_with(b"\n\n");
        self.asked.store(!has_body && !is_head_over, Relaxed);
    }

    fn note_read(&self, bytes: &[u8]) {
        self.busy.begin();
        self.asked.store(true, Relaxed);
        let last = bytes[bytes.len().saturating_sub(4)..].iter();
        let before = self.last_read.load(Relaxed);
        self.last_read.store(last.fold(before, |last, byte| last << 8 | u32::from(*byte)), Relaxed);
    }

    /// Whether a request has begun that has no answer.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Relaxed)
    }

    /// The connection was polled and waits. If that is for a request that has not begun, it is not busy.
    pub(crate) fn pause(&self) {
        let writing = self.waiting_since.load(Relaxed) != NOT_WAITING;
        if self.reading.load(Relaxed) && !self.is_asked() && !writing {
            self.busy.end();
        }
    }

    /// Resolves once a write has waited for [`STALL_WITHIN`]. Has a timer only while a write waits.
    ///
    /// To be polled whenever the connection was polled, by the same task.
    pub(crate) async fn stalled(&self) {
        let mut timer = pin!(None);
        std::future::poll_fn(|cx| {
            loop {
                let since = self.waiting_since.load(Relaxed);
                if since == NOT_WAITING {
                    return Poll::Pending;
                }
                let due = Duration::from_nanos(since) + STALL_WITHIN;
                if timer.is_none() {
                    timer.set(Some(self.clock.sleep_until(due)));
                }
                if let Some(running) = timer.as_mut().as_pin_mut() {
                    ready!(running.poll(cx));
                }
                timer.set(None);
                if self.clock.now() >= due {
                    return Poll::Ready(());
                }
            }
        })
        .await;
    }

    fn note_write(&self, written: &Poll<io::Result<usize>>) {
        let waiting = self.waiting_since.load(Relaxed) != NOT_WAITING;
        match written {
            Poll::Pending if !waiting => {
                self.waiting_since.store(nanoseconds(self.clock.now()), Relaxed);
            }
            Poll::Ready(_) if waiting => self.waiting_since.store(NOT_WAITING, Relaxed),
            _ => {}
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HttpStream<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(cx, buffer);
        self.progress.reading.store(read.is_pending(), Relaxed);
        if buffer.filled().len() > before {
            self.progress.note_read(&buffer.filled()[before..]);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HttpStream<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.progress.note_write(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, buffers);
        self.progress.note_write(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
