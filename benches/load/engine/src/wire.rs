//! The stream below a WebSocket. Messages of the load go past tungstenite, which would take several times as long for
//! them. Everything else goes through tungstenite, which never sees a part of a frame.

mod incoming;
mod outgoing;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::frame::coding::OpCode;

use super::clock::Clock;
use incoming::Incoming;
use outgoing::Outgoing;

pub(super) use incoming::Next;

/// Bytes gathered before some must be written to make room.
const GATHERED: usize = 8 * 1024;

/// A stream that takes whole frames. It takes a write whole or not at all, so that no frame comes between the parts of
/// another.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: S,
    incoming: Incoming,
    outgoing: Outgoing,
    clock: Clock,
    received_ns: u64,
}

impl<S> Wire<S> {
    /// Takes messages of at most `longest` bytes itself; tungstenite refuses longer ones.
    pub(super) fn new(stream: S, clock: Clock, longest: usize) -> Self {
        let (incoming, outgoing) = (Incoming::new(longest), Outgoing::default());
        Self { stream, incoming, outgoing, clock, received_ns: 0 }
    }

    /// When the last bytes came. Messages that came together have one time: the wait for their turn is ours.
    pub(super) fn received_ns(&self) -> u64 {
        self.received_ns
    }

    /// Lends the buffer with the payload of a [`Next::Message`]. Must be given back before any other call.
    pub(super) fn lend(&mut self) -> Vec<u8> {
        self.incoming.lend()
    }

    /// Takes back the buffer.
    pub(super) fn give_back(&mut self, bytes: Vec<u8>) {
        self.incoming.give_back(bytes);
    }

    /// Whether tungstenite has to read the rest of a frame.
    pub(super) fn is_passing(&self) -> bool {
        self.incoming.is_passing()
    }

    /// Gathers one frame, masked with `key`, whose payload `write` appends, for the next flush; returns the bytes of the
    /// payload and of the frame.
    pub(super) fn put(
        &mut self,
        opcode: OpCode,
        is_final: bool,
        key: [u8; 4],
        write: impl FnOnce(&mut Vec<u8>),
    ) -> (u64, u64) {
        self.outgoing.put(opcode, is_final, key, write)
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// Ready once there is room for another frame.
    pub(super) fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.outgoing.rest().len() >= GATHERED {
            ready!(self.poll_write_some(cx))?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let rest = self.outgoing.rest();
        let count = ready!(Pin::new(&mut self.stream).poll_write(cx, rest))?;
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.outgoing.written(count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> Wire<S> {
    /// The next message, if it does not go through tungstenite. After [`Next::Other`], tungstenite must read until it has no more.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Next>> {
        loop {
            match self.incoming.next() {
                Next::More if ready!(self.poll_receive(cx))? == 0 => self.incoming.pass_all(),
                Next::More => {}
                next => return Poll::Ready(Ok(next)),
            }
        }
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut room = ReadBuf::new(self.incoming.room());
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut room))?;
        let count = room.filled().len();
        self.incoming.received(count);
        self.received_ns = self.clock.now_ns();
        Poll::Ready(Ok(count))
    }
}

/// For tungstenite, which reads only what does not go past it.
impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let bytes = self.incoming.pass(buffer.remaining());
            if !bytes.is_empty() {
                buffer.put_slice(bytes);
                return Poll::Ready(Ok(()));
            }
            if !self.incoming.is_passing() {
                // [`Wire::poll_next`] has registered the task for the next bytes.
                return Poll::Pending;
            }
            if ready!(self.poll_receive(cx))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_room(cx))?;
        self.outgoing.append(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outgoing.rest().is_empty() {
            ready!(self.poll_write_some(cx))?;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;
    use tokio::time::Instant;
    use tokio_tungstenite::tungstenite::protocol::frame::FrameSocket;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::Data;

    use super::*;
    use crate::host::Host;

    const TEXT: OpCode = OpCode::Data(Data::Text);
    const KEY: [u8; 4] = [1, 2, 3, 0xff];

    /// A stream that takes these numbers of bytes, one after another, and is full in between.
    #[derive(Default)]
    struct Narrow {
        takes: VecDeque<usize>,
        taken: Vec<u8>,
    }

    impl AsyncWrite for Narrow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let Some(most @ 1..) = self.takes.pop_front() else { return Poll::Pending };
            let taken = most.min(bytes.len());
            self.taken.extend_from_slice(&bytes[..taken]);
            Poll::Ready(Ok(taken))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn wire(takes: impl Into<VecDeque<usize>>) -> Wire<Narrow> {
        let stream = Narrow { takes: takes.into(), ..Narrow::default() };
        Wire::new(stream, Clock::starting_at(Host::Machine, Instant::now()), 1024)
    }

    fn put(wire: &mut Wire<Narrow>, payload: &[u8], key: [u8; 4]) {
        let sizes = wire.put(TEXT, true, key, |out| out.extend_from_slice(payload));
        assert_eq!(sizes.0, payload.len() as u64);
    }

    fn context() -> Context<'static> {
        Context::from_waker(std::task::Waker::noop())
    }

    #[test]
    fn frames_are_gathered_until_they_are_flushed() {
        let mut wire = wire([1000]);
        put(&mut wire, b"one", KEY);
        put(&mut wire, b"two", KEY);
        assert!(wire.stream.taken.is_empty());
        assert!(Pin::new(&mut wire).poll_flush(&mut context()).is_ready());
        assert_eq!(wire.stream.taken.len(), 2 * (2 + 4 + 3));
    }

    #[test]
    fn a_full_wire_takes_a_write_whole_or_not_at_all() {
        let mut wire = wire([]);
        put(&mut wire, &[b'a'; GATHERED], KEY);
        let held = wire.outgoing.rest().len();
        assert!(wire.poll_room(&mut context()).is_pending());
        assert!(Pin::new(&mut wire).poll_write(&mut context(), b"pong").is_pending());
        assert_eq!(wire.outgoing.rest().len(), held);
        wire.stream.takes = [100].into();
        let write = Pin::new(&mut wire).poll_write(&mut context(), b"pong");
        assert!(matches!(write, Poll::Ready(Ok(4))));
        assert!(wire.outgoing.rest().ends_with(b"pong"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn frames_arrive_as_they_were_put(
            sizes in proptest::collection::vec(
                // Around every length at which the header or the buffer changes.
                prop_oneof![0_usize..300, GATHERED - 20..GATHERED + 20, 65_530_usize..65_540], 1..5
            ),
            takes in proptest::collection::vec(0_usize..40_000, 0..30),
            key: [u8; 4]
        ) {
            let payload = |size: usize| (0..size).map(|at| at as u8).collect::<Vec<_>>();
            let mut wire = wire(takes);
            for size in &sizes {
                put(&mut wire, &payload(*size), key);
                let _ = Pin::new(&mut wire).poll_flush(&mut context());
            }
            wire.stream.takes = vec![usize::MAX; 10].into();
            while Pin::new(&mut wire).poll_flush(&mut context()).is_pending() {}
            let mut frames = FrameSocket::new(io::Cursor::new(&wire.stream.taken[..]));
            for size in &sizes {
                let frame = frames.read(None).expect("it is a frame").expect("it is there");
                let mut bytes = frame.payload().to_vec();
                let mask = frame.header().mask.expect("a client's frame is masked");
                for (byte, key) in bytes.iter_mut().zip(mask.iter().cycle()) {
                    *byte ^= key;
                }
                prop_assert_eq!(bytes, payload(*size));
            }
            prop_assert!(frames.read(None).expect("nothing is left").is_none());
        }
    }
}
