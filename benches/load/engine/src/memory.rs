//! Byte streams in memory, for tests.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Bytes that each direction of a stream holds before its writer waits.
const CAPACITY: usize = 64 * 1024;

/// One end of a stream.
#[derive(Debug)]
pub struct Pipe {
    stream: DuplexStream,
    is_reset: Arc<AtomicBool>,
}

impl Pipe {
    fn pair() -> (Self, Self) {
        let (one, other) = duplex(CAPACITY);
        let is_reset = Arc::<AtomicBool>::default();
        (Self { stream: one, is_reset: Arc::clone(&is_reset) }, Self { stream: other, is_reset })
    }

    /// Makes the end of the stream, once this side is dropped, a reset.
    pub fn set_zero_linger(&self) {
        self.is_reset.store(true, Relaxed);
    }

    fn check(&self) -> io::Result<()> {
        if self.is_reset.load(Relaxed) { Err(Errno::CONNRESET.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let is_end = buffer.filled().len() == before && buffer.remaining() > 0;
        Poll::Ready(if is_end { self.check() } else { Ok(()) })
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Connects to a [`Listener`].
#[derive(Debug)]
pub(crate) struct Dialer {
    sender: UnboundedSender<Pipe>,
    left: AtomicU64,
}

impl Dialer {
    /// A new stream. Connection refused, once there have been as many as the listener accepts.
    pub(crate) fn connect(&self) -> io::Result<Pipe> {
        let one_less = |left: u64| left.checked_sub(1);
        self.left.fetch_update(Relaxed, Relaxed, one_less).map_err(|_| Errno::CONNREFUSED)?;
        let (own, theirs) = Pipe::pair();
        self.sender.send(theirs).map_err(|_| Errno::CONNREFUSED)?;
        Ok(own)
    }
}

/// Takes the other ends.
#[derive(Debug)]
pub(crate) struct Listener(UnboundedReceiver<Pipe>);

impl Listener {
    /// A listener that accepts so many connections, and its dialer.
    pub(crate) fn bind(accepts: u64) -> (Self, Dialer) {
        let (sender, receiver) = unbounded_channel();
        (Self(receiver), Dialer { sender, left: AtomicU64::new(accepts) })
    }

    /// The next stream; `None` once the dialer is dropped.
    pub(crate) async fn accept(&mut self) -> Option<Pipe> {
        self.0.recv().await
    }
}
