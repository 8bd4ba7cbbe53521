//! Counts the reads and writes of the server's streams, and can hold back the writes of one connection.

use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::task::{Context, Poll};

use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Counts of one window. Static, because a counted stream must not carry an allocation of the harness.
#[derive(Debug)]
pub struct IoCounts {
    reads: AtomicU64,
    /// Reads that found nothing to read.
    empty_reads: AtomicU64,
    writes: AtomicU64,
    accepted: AtomicU64,
    /// Whether every stream is counted, even if there is none.
    all: AtomicBool,
    /// Whether a [`Listener`](crate::Listener) waits for its first connection.
    unserved: AtomicBool,
    /// Accepted sockets that still use Nagle's algorithm.
    pub(crate) without_nodelay: AtomicU64,
    /// 1 + the index, in order of acceptance, of the connection whose writes can be held back; 0 for none.
    selected: AtomicU64,
    holding: AtomicBool,
    waiting: AtomicWaker,
}

/// The counts of the one window that can be open in a process.
pub static IO: IoCounts = IoCounts {
    reads: AtomicU64::new(0),
    empty_reads: AtomicU64::new(0),
    writes: AtomicU64::new(0),
    accepted: AtomicU64::new(0),
    all: AtomicBool::new(false),
    unserved: AtomicBool::new(false),
    without_nodelay: AtomicU64::new(0),
    selected: AtomicU64::new(0),
    holding: AtomicBool::new(false),
    waiting: AtomicWaker::new(),
};

impl IoCounts {
    /// Sets all counts to 0, and holds nothing back.
    pub(crate) fn reset(&self) {
        let Self { reads, empty_reads, writes, accepted, without_nodelay, selected, .. } = self;
        for count in [reads, empty_reads, writes, accepted, without_nodelay, selected] {
            count.store(0, Relaxed);
        }
        self.holding.store(false, Release);
        self.all.store(false, Relaxed);
        self.unserved.store(false, Relaxed);
        self.drop_waker();
    }

    pub(crate) fn all_are_counted(&self) {
        self.all.store(true, Relaxed);
    }

    /// Records whether a listener waits for its first connection.
    pub(crate) fn set_unserved(&self, unserved: bool) {
        self.unserved.store(unserved, Relaxed);
    }

    /// Whether a listener still waits for its first connection.
    pub(crate) fn is_unserved(&self) -> bool {
        self.unserved.load(Relaxed)
    }

    /// Reads and writes; `None` if no stream was wrapped, so that nothing could be counted.
    pub(crate) fn measured(&self) -> Option<[u64; 2]> {
        let is_measured = self.all.load(Relaxed) || self.accepted.load(Acquire) > 0;
        is_measured.then(|| [self.reads(), self.writes()])
    }

    /// Drops the waker of a held write: it keeps the memory of its task alive, which is no leak of the server.
    pub(crate) fn drop_waker(&self) {
        drop(self.waiting.take());
    }

    /// Completed reads, including those that find the end of a stream.
    pub fn reads(&self) -> u64 {
        self.reads.load(Relaxed)
    }

    /// Reads that found nothing: each ends one turn of a connection, whatever woke it.
    pub fn empty_reads(&self) -> u64 {
        self.empty_reads.load(Relaxed)
    }

    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Relaxed)
    }

    /// Selects the connection that is accepted next for [`IoCounts::hold_writes`].
    pub fn select_next(&self) {
        self.selected.store(self.accepted.load(Acquire) + 1, Release);
    }

    /// Holds back every write to the selected connection from now on.
    pub fn hold_writes(&self) {
        self.holding.store(true, Release);
    }

    /// Lets held writes go on.
    pub fn release_writes(&self) {
        self.holding.store(false, Release);
        self.waiting.wake();
    }

    /// [`IoCounts::wrap`] for an accepted socket, which must have `TCP_NODELAY`.
    pub fn wrap_tcp(&'static self, socket: TcpStream) -> Counted<TcpStream> {
        if !socket.nodelay().is_ok_and(|nodelay| nodelay) {
            self.without_nodelay.fetch_add(1, Relaxed);
        }
        self.wrap(socket)
    }

    /// Counts a stream of the server from its first byte.
    pub fn wrap<S>(&'static self, io: S) -> Counted<S> {
        let index = self.accepted.fetch_add(1, AcqRel) + 1;
        Counted { io, selected: self.selected.load(Acquire) == index }
    }

    fn poll_release(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.holding.load(Acquire) {
            return Poll::Ready(());
        }
        self.waiting.register(cx.waker());
        if self.holding.load(Acquire) { Poll::Pending } else { Poll::Ready(()) }
    }
}

/// A stream whose completed reads and writes are counted.
#[derive(Debug)]
pub struct Counted<S> {
    io: S,
    selected: bool,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        let count = if read.is_ready() { &IO.reads } else { &IO.empty_reads };
        count.fetch_add(1, Relaxed);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.selected {
            std::task::ready!(IO.poll_release(cx));
        }
        counted(Pin::new(&mut self.io).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.selected {
            std::task::ready!(IO.poll_release(cx));
        }
        counted(Pin::new(&mut self.io).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

fn counted(written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
    if written.is_ready() {
        IO.writes.fetch_add(1, Relaxed);
    }
    written
}
