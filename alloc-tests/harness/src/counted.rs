//! A stream that counts its reads and writes, and can be held back.

use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::io_count::IO;

/// Counts the reads and writes of a server's stream from its first byte, in the window that is open.
///
/// ```
/// use futures::FutureExt;
/// use tokio::io::AsyncReadExt;
///
/// let mut stream = plimsoll::count(&b"hello"[..]);
/// assert!(stream.read(&mut [0; 5]).now_or_never().is_some());
/// assert_eq!(plimsoll::io_count::IO.reads(), 1);
/// ```
pub fn count<S>(stream: S) -> Counted<S> {
    Counted { io: stream, waker: IO.accept() }
}

/// [`count`] for an accepted socket, or a stream around one, which must have `TCP_NODELAY`: a window whose server is reported with
/// [`Window::server_stopped`](crate::Window::server_stopped) fails if one has not.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
/// # let _client = std::net::TcpStream::connect(listener.local_addr()?)?;
/// let (socket, _peer) = listener.accept().await?;
/// socket.set_nodelay(true)?;
/// let stream = plimsoll::count_tcp(socket);
/// # Ok(()) }
/// ```
pub fn count_tcp<S: AsFd>(socket: S) -> Counted<S> {
    if !rustix::net::sockopt::tcp_nodelay(&socket).is_ok_and(|nodelay| nodelay) {
        IO.without_nodelay.fetch_add(1, Relaxed);
    }
    count(socket)
}

/// A stream whose completed reads and writes are counted.
///
/// ```
/// use futures::FutureExt;
/// use plimsoll::Counted;
/// use tokio::io::{AsyncWriteExt, Sink};
///
/// let mut stream: Counted<Sink> = plimsoll::count(tokio::io::sink());
/// assert!(stream.write(b"tick").now_or_never().is_some());
/// ```
#[derive(Debug)]
pub struct Counted<S> {
    io: S,
    /// For a connection that can be held back: wakes it when it may go on.
    waker: Option<&'static AtomicWaker>,
}

impl<S> Counted<S> {
    /// Waits while `passes` is false.
    fn held(&self, cx: &mut Context<'_>, passes: impl Fn() -> bool) -> Poll<()> {
        let Some(waker) = self.waker else { return Poll::Ready(()) };
        if passes() {
            return Poll::Ready(());
        }
        waker.register(cx.waker());
        if passes() {
            // It was released in between. A waker that stays keeps the memory of its task.
            drop(waker.take());
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.held(cx, || IO.lets_read()));
        let read = Pin::new(&mut self.io).poll_read(cx, buf);
        IO.add_read(read.is_ready());
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.held(cx, || IO.lets_write()));
        counted(Pin::new(&mut self.io).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.held(cx, || IO.lets_write()));
        counted(Pin::new(&mut self.io).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.held(cx, || IO.lets_end()));
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

fn counted(written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
    if written.is_ready() {
        IO.add_write();
    }
    written
}
