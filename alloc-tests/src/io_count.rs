//! Reads and writes of the server, counted where it meets its streams, and a tap that stops the writes.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{
    AtomicBool, AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed,
    Ordering::Release,
};
use std::task::{Context, Poll};

use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Counts of one window. Static: a stream must not carry an allocation of the instrument's.
#[derive(Debug)]
pub struct IoCounts {
    reads: AtomicU64,
    writes: AtomicU64,
    accepted: AtomicU64,
    /// Accepted sockets on which Nagle's algorithm is still on.
    nagled: AtomicU64,
    /// 1 + the index of the connection that the tap is on, in the order they were accepted; 0 for none.
    tapped: AtomicU64,
    closed: AtomicBool,
    blocked: AtomicWaker,
}

/// The one window that can be open in a process.
pub static IO: IoCounts = IoCounts {
    reads: AtomicU64::new(0),
    writes: AtomicU64::new(0),
    accepted: AtomicU64::new(0),
    nagled: AtomicU64::new(0),
    tapped: AtomicU64::new(0),
    closed: AtomicBool::new(false),
    blocked: AtomicWaker::new(),
};

impl IoCounts {
    /// Back to nothing, tap off and open.
    pub fn reset(&self) {
        for count in [&self.reads, &self.writes, &self.accepted, &self.nagled, &self.tapped] {
            count.store(0, Relaxed);
        }
        self.closed.store(false, Release);
        self.forget_blocked();
    }

    /// Lets go of whoever waits for the tap. A waker keeps its task's memory, which is not the server's fault.
    pub fn forget_blocked(&self) {
        drop(self.blocked.take());
    }

    /// Completed reads, the one that finds the end included.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.reads.load(Relaxed)
    }

    /// Completed writes.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.writes.load(Relaxed)
    }

    /// Accepted sockets that came without `TCP_NODELAY`.
    #[must_use]
    pub fn nagled(&self) -> u64 {
        self.nagled.load(Relaxed)
    }

    /// Puts the tap on the next connection that is accepted.
    pub fn tap_next(&self) {
        self.tapped.store(self.accepted.load(Acquire) + 1, Release);
    }

    /// From now on nothing the server writes to the tapped connection is taken.
    pub fn close_tap(&self) {
        self.closed.store(true, Release);
    }

    /// Whatever waited for the tap goes on.
    pub fn open_tap(&self) {
        self.closed.store(false, Release);
        self.blocked.wake();
    }

    /// [`IoCounts::wrap`] for an accepted socket, which must be ready to send small messages at once.
    pub fn wrap_tcp(&'static self, socket: TcpStream) -> Counted<TcpStream> {
        if !socket.nodelay().is_ok_and(|nodelay| nodelay) {
            self.nagled.fetch_add(1, Relaxed);
        }
        self.wrap(socket)
    }

    /// A stream of the server's, counted from its first byte.
    pub fn wrap<S>(&'static self, io: S) -> Counted<S> {
        let index = self.accepted.fetch_add(1, AcqRel) + 1;
        Counted { io, tapped: self.tapped.load(Acquire) == index }
    }

    fn poll_tap(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.closed.load(Acquire) {
            return Poll::Ready(());
        }
        self.blocked.register(cx.waker());
        if self.closed.load(Acquire) { Poll::Pending } else { Poll::Ready(()) }
    }
}

/// A stream whose completed reads and writes count.
#[derive(Debug)]
pub struct Counted<S> {
    io: S,
    tapped: bool,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        if read.is_ready() {
            IO.reads.fetch_add(1, Relaxed);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.tapped {
            std::task::ready!(IO.poll_tap(cx));
        }
        counted(Pin::new(&mut self.io).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.tapped {
            std::task::ready!(IO.poll_tap(cx));
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
