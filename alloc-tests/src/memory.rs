//! A peer in memory, on the server's own thread: exact where a kernel would cut large messages as it likes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use server::clock::ManualClock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::Frame;
use crate::client::request_into;

/// Plays one connection from its upgrade to its close: sends a request, takes the whole reply, sends the next.
///
/// A reply that is not the expected one ends the stream with an error, and with it the scenario.
#[derive(Debug)]
pub struct MemoryPeer {
    upgrade: Frame,
    message: Frame,
    close: Frame,
    /// Messages still to be exchanged, then the close.
    left: u64,
    step: Step,
    /// Bytes given to one read at most.
    at_once: usize,
    snapshots: Option<Snapshots>,
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

/// What a subscriber expects instead of replies.
#[derive(Debug)]
struct Snapshots {
    next: u64,
    clock: ManualClock,
    tick: Duration,
}

impl MemoryPeer {
    /// A peer that exchanges `message` `times` over on `path`. All its memory is taken here.
    #[must_use]
    pub fn new(path: &str, message: Frame, times: u64) -> Self {
        let mut request = vec![0; 512];
        let length = request_into(&mut request, path);
        request.truncate(length);
        let step = Step::Upgrade;
        Self {
            // The reply has a date in it: only its first line is compared.
            upgrade: Frame { request, reply: b"HTTP/1.1 101 Switching Protocols\r\n".to_vec() },
            message,
            close: Frame::close(1000),
            left: times,
            step,
            at_once: usize::MAX,
            snapshots: None,
            sent: 0,
            received: 0,
            reader: None,
        }
    }

    /// The same peer on a line that delivers no more than this many bytes to one read.
    #[must_use]
    pub fn sending_at_most(self, bytes: usize) -> Self {
        Self { at_once: bytes, ..self }
    }

    /// The same peer as a subscriber: its messages are snapshots, and it moves `clock` by `tick` between two of them.
    pub(crate) fn taking_snapshots(self, clock: ManualClock, tick: Duration) -> Self {
        Self { snapshots: Some(Snapshots { next: 1, clock, tick }), ..self }
    }

    fn frame(&self) -> Option<&Frame> {
        match self.step {
            Step::Upgrade => Some(&self.upgrade),
            Step::Message => Some(&self.message),
            Step::Close => Some(&self.close),
            Step::End => None,
        }
    }

    /// The current reply is complete: what follows can be read.
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

    /// Takes what the server wrote; `false` if it is not what it should be.
    fn take(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            if self.step == Step::Message
                && let Some(snapshots) = &mut self.snapshots
            {
                return snapshots.take(bytes, self.left > 0) && {
                    self.advance();
                    true
                };
            }
            let Some(frame) = self.frame() else { return false };
            let left = &frame.reply[self.received..];
            let length = left.len().min(bytes.len());
            if left[..length] != bytes[..length] {
                return false;
            }
            let complete = length == left.len();
            self.received += length;
            if complete {
                let whole_head = self.step == Step::Upgrade;
                self.advance();
                if whole_head {
                    return bytes.ends_with(b"\r\n\r\n");
                }
            }
            bytes = &bytes[length..];
        }
        true
    }
}

impl Snapshots {
    /// Takes one frame, which must come in one write and hold the next snapshot, none skipped before it.
    fn take(&mut self, frame: &[u8], more: bool) -> bool {
        let [0x81, 126, high, low, json @ ..] = frame else { return false };
        let Some(rest) = json.strip_prefix(br#"{"skipped":0,"seq":"#) else { return false };
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit());
        let seq = digits.fold(0, |seq, digit| seq * 10 + u64::from(digit - b'0'));
        let expected =
            seq == self.next && json.len() == usize::from(u16::from_be_bytes([*high, *low]));
        self.next += 1;
        if expected && more {
            self.clock.advance(self.tick);
        }
        expected
    }
}

impl AsyncRead for MemoryPeer {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(frame) = self.frame() else { return Poll::Ready(Ok(())) };
        let left = &frame.request[self.sent..];
        if left.is_empty() {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let length = left.len().min(buf.remaining()).min(self.at_once);
        buf.put_slice(&left[..length]);
        self.sent += length;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for MemoryPeer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.take(buf) {
            Poll::Ready(Ok(buf.len()))
        } else {
            Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the reply is not the expected one",
            )))
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
