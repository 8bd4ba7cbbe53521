//! A connection without a network: the test is the network, and decides what arrives, when, and in which pieces.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The server's end.
#[derive(Debug)]
pub(crate) struct Link(Arc<Mutex<State>>);

/// The other end, and everything in between. Clones share it.
#[derive(Clone, Debug)]
pub struct Network(Arc<Mutex<State>>);

/// What the network holds and allows.
#[derive(Debug)]
pub struct State {
    /// All bytes that the peer has sent.
    pub sent: Vec<u8>,
    /// The number of them that have arrived at the server.
    pub arrived: usize,
    /// The number of them that the server has read.
    pub read: usize,
    /// Most bytes of one read.
    pub read_at_most: usize,
    /// Whether the peer has ended its side, behind the bytes that it has sent.
    pub ended: bool,
    /// Whether the connection is reset: all that has not been read is lost.
    pub reset: bool,
    /// All bytes that the server has written.
    pub written: Vec<u8>,
    /// Bytes that the server may still write before its writes wait.
    pub room: usize,
    /// Most bytes of one write.
    pub write_at_most: usize,
    /// Whether a call is pending before every read and write of a byte, and wakes its task at once.
    pub hesitates: bool,
    /// Whether the server has ended its side.
    pub shut: bool,
    hesitated: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Network {
    /// A network in which everything arrives at once, and the server's end of a connection through it.
    pub(crate) fn new() -> (Self, Link) {
        let state = Arc::new(Mutex::new(State {
            sent: Vec::new(),
            arrived: 0,
            read: 0,
            read_at_most: usize::MAX,
            ended: false,
            reset: false,
            written: Vec::new(),
            room: usize::MAX,
            write_at_most: usize::MAX,
            hesitates: false,
            shut: false,
            hesitated: false,
            reader: None,
            writer: None,
        }));
        (Self(Arc::clone(&state)), Link(state))
    }

    /// Looks at the network, or changes it without waking the server.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no holder panics")
    }

    /// Changes the network, and wakes the server if it can go on.
    pub fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        state.arrived = state.arrived.min(state.sent.len());
        let readable = state.arrived > state.read || state.has_end() || state.reset;
        let writable = state.room > 0 || state.reset;
        let reader = state.reader.take_if(|_| readable);
        let writer = state.writer.take_if(|_| writable);
        drop(state);
        [reader, writer].into_iter().flatten().for_each(Waker::wake);
    }
}

impl State {
    fn has_end(&self) -> bool {
        self.ended && self.arrived == self.sent.len()
    }

    /// Whether this call is pending although it could go on; its task is woken at once.
    fn hesitate(&mut self, cx: &Context<'_>) -> bool {
        let first = self.hesitates && !self.hesitated;
        if first {
            self.hesitated = true;
            cx.waker().wake_by_ref();
        }
        first
    }
}

impl AsyncRead for Link {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.0.lock().expect("no holder panics");
        if state.reset {
            return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
        }
        if state.hesitate(cx) {
            return Poll::Pending;
        }
        let bytes = (state.arrived - state.read).min(state.read_at_most).min(buffer.remaining());
        if bytes == 0 && buffer.remaining() > 0 && !state.has_end() {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        buffer.put_slice(&state.sent[state.read..][..bytes]);
        state.read += bytes;
        state.hesitated = false;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock().expect("no holder panics");
        if state.reset || state.shut {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        if state.hesitate(cx) {
            return Poll::Pending;
        }
        if state.room == 0 {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let taken = bytes.len().min(state.room).min(state.write_at_most);
        state.written.extend_from_slice(&bytes[..taken]);
        state.room -= taken;
        state.hesitated = false;
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.lock().expect("no holder panics");
        if state.hesitate(cx) { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.lock().expect("no holder panics").shut = true;
        Poll::Ready(Ok(()))
    }
}
