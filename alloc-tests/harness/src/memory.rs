//! A peer in memory, on the server's own thread. Its messages arrive whole, which a kernel does not promise for large
//! ones.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::client::HEADERS;
use crate::frame::Frame;

/// Plays one connection from its upgrade to its close: sends a request, takes the whole reply, sends the next.
///
/// An unexpected reply ends the stream with an error, and the scenario with it.
///
/// ```
/// use futures::StreamExt;
/// use plimsoll::ws::{Frame, MemoryPeer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let peer = MemoryPeer::new("/chat", Frame::text("hello"), 2);
/// let mut server = tokio_tungstenite::accept_async(peer).await?;
/// assert_eq!(server.next().await.expect("it is open")?.to_text()?, "hello");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct MemoryPeer<C = fn(&[u8], bool) -> bool> {
    script: Script,
    check: Option<C>,
}

#[derive(Debug)]
struct Script {
    /// Of the upgrade, of each message, and of the close.
    frames: [Frame; 3],
    /// Messages still to be exchanged before the close.
    left: u64,
    step: Step,
    /// Most bytes for one read.
    read_limit: usize,
    sent: usize,
    received: usize,
    reader: Option<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Upgrade,
    Message,
    Close,
    End,
}

impl MemoryPeer {
    /// A peer that upgrades on `path`, exchanges `message` `times` over, and closes with the code 1000. It allocates nothing
    /// after this call.
    ///
    /// ```
    /// # use {futures::FutureExt, plimsoll::ws::{Frame, MemoryPeer}, tokio::io::AsyncReadExt};
    /// let (mut peer, mut request) = (MemoryPeer::new("/chat", Frame::text("hello"), 2), [0; 256]);
    /// assert!(peer.read(&mut request).now_or_never().is_some());
    /// assert!(request.starts_with(b"GET /chat HTTP/1.1\r\n"));
    /// ```
    #[must_use]
    pub fn new(path: &str, message: Frame, times: u64) -> Self {
        let upgrade = Frame {
            request: format!("GET {path}{HEADERS}").into_bytes(),
            // The reply contains a date, so only its first line is compared.
            reply: b"HTTP/1.1 101 Switching Protocols\r\n".to_vec(),
        };
        let script = Script {
            frames: [upgrade, message, Frame::close(1000)],
            left: times,
            step: Step::Upgrade,
            read_limit: usize::MAX,
            sent: 0,
            received: 0,
            reader: None,
        };
        Self { script, check: None }
    }

    /// Gives no more than `bytes` to one read. By default a read gets as much as it has room for.
    ///
    /// ```
    /// # use {futures::FutureExt, plimsoll::ws::{Frame, MemoryPeer}, tokio::io::AsyncReadExt};
    /// let mut peer = MemoryPeer::new("/", Frame::text("hello"), 2).sending_at_most(7);
    /// let read = peer.read(&mut [0; 64]).now_or_never();
    /// assert!(matches!(read, Some(Ok(7))));
    /// ```
    #[must_use]
    pub fn sending_at_most(mut self, bytes: usize) -> Self {
        self.script.read_limit = bytes;
        self
    }

    /// Sends no messages, and passes each write of the server between upgrade and close to `check`, with whether more
    /// are to come. `check` returns whether the write is right.
    ///
    /// ```
    /// # use {futures::FutureExt, plimsoll::ws::{Frame, MemoryPeer}, tokio::io::AsyncWriteExt};
    /// let peer = MemoryPeer::new("/ticks", Frame::default(), 2);
    /// let mut peer = peer.checking(|write, _more| write == b"\x81\x04tick");
    /// # assert!(matches!(peer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").now_or_never(), Some(Ok(_))));
    /// assert!(matches!(peer.write(b"\x81\x04tick").now_or_never(), Some(Ok(_))));
    /// assert!(matches!(peer.write(b"\x81\x04tock").now_or_never(), Some(Err(_))));
    /// ```
    pub fn checking<C: FnMut(&[u8], bool) -> bool>(self, check: C) -> MemoryPeer<C> {
        MemoryPeer { script: self.script, check: Some(check) }
    }
}

impl Script {
    fn frame(&self) -> Option<&Frame> {
        self.frames.get(self.step as usize)
    }

    /// Goes to the next step, after a complete reply.
    fn advance(&mut self) {
        (self.sent, self.received) = (0, 0);
        self.step = match self.step {
            Step::Upgrade | Step::Message if self.left > 0 => {
                self.left -= 1;
                Step::Message
            }
            Step::Upgrade | Step::Message => Step::Close,
            Step::Close | Step::End => Step::End,
        };
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

impl<C: FnMut(&[u8], bool) -> bool> MemoryPeer<C> {
    /// Takes a write of the server; `false` if it is not the expected one.
    fn take(&mut self, mut bytes: &[u8]) -> bool {
        let Self { script, check } = self;
        while !bytes.is_empty() {
            if script.step == Step::Message
                && let Some(check) = check
            {
                let expected = check(bytes, script.left > 0);
                script.advance();
                return expected;
            }
            let Some(frame) = script.frame() else { return false };
            let left = &frame.reply[script.received..];
            let length = left.len().min(bytes.len());
            if left[..length] != bytes[..length] {
                return false;
            }
            let complete = length == left.len();
            script.received += length;
            if complete {
                let whole_head = script.step == Step::Upgrade;
                script.advance();
                if whole_head {
                    return bytes.ends_with(b"\r\n\r\n");
                }
            }
            bytes = &bytes[length..];
        }
        true
    }
}

impl<C: FnMut(&[u8], bool) -> bool + Unpin> AsyncRead for MemoryPeer<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let script = &mut self.script;
        let Some(frame) = script.frame() else { return Poll::Ready(Ok(())) };
        let left = &frame.request[script.sent..];
        if left.is_empty() {
            script.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let length = left.len().min(buf.remaining()).min(script.read_limit);
        buf.put_slice(&left[..length]);
        script.sent += length;
        Poll::Ready(Ok(()))
    }
}

impl<C: FnMut(&[u8], bool) -> bool + Unpin> AsyncWrite for MemoryPeer<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.take(buf) {
            Poll::Ready(Ok(buf.len()))
        } else {
            Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "an unexpected reply")))
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
