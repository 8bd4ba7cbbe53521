//! Streams whose bytes are counted by the port of their peer.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The end of the close frame of a server that drains.
const CLOSE: &[u8] = b"server is shutting down";

/// Bytes that the server read behind each peer's request, until it wrote its close frame.
#[derive(Default)]
pub(super) struct Book(Mutex<HashMap<u16, u64>>);

pub(super) struct Watched {
    stream: TcpStream,
    port: u16,
    /// Whether the 101 was written, and the close frame was not.
    counts: bool,
    book: Arc<Book>,
}

impl Book {
    pub(super) fn watch(self: &Arc<Self>, stream: TcpStream) -> Watched {
        let port = stream.peer_addr().map_or(0, |addr| addr.port());
        Watched { stream, port, counts: false, book: Arc::clone(self) }
    }

    /// `None` for a peer that sent nothing.
    pub(super) fn read(&self, port: u16) -> Option<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&port).copied()
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let bytes = (buf.filled().len() - before) as u64;
        if self.counts && bytes > 0 {
            *self
                .book
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(self.port)
                .or_default() += bytes;
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if buf.starts_with(b"HTTP/1.1 101 ") {
            self.counts = true;
        } else if buf.ends_with(CLOSE) {
            self.counts = false;
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
