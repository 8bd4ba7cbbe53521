use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use server::socket::Accepted;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The gates of all connections that a server accepted, by the address of the peer.
#[derive(Clone, Default)]
pub(crate) struct Gates(Arc<Mutex<HashMap<SocketAddr, Gate>>>);

impl Gates {
    pub(super) fn around(&self, stream: Accepted) -> Gated {
        let gate = Gate::default();
        let peer = stream.peer_addr().expect("a connected socket has a peer");
        self.0.lock().expect("no holder panics").insert(peer, gate.clone());
        Gated { stream, gate }
    }

    /// The gate of `peer`, which the server has already accepted.
    pub(crate) fn of(&self, peer: &std::net::TcpStream) -> Gate {
        let peer = peer.local_addr().expect("a connected socket has an address");
        self.0.lock().expect("no holder panics")[&peer].clone()
    }
}

/// A stream with a shut gate takes no writes, as if its peer had stopped reading and every buffer in between were full.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    shut: bool,
    reads_panic: bool,
    writes_panic: bool,
    /// Bytes that pass though it is shut.
    passing: usize,
    writer: Option<Waker>,
}

impl Gate {
    pub(crate) fn shut(&self) {
        self.0.lock().expect("no holder panics").shut = true;
    }

    /// The next read panics, as a fault of the server would.
    pub(crate) fn panic_in_read(&self) {
        self.0.lock().expect("no holder panics").reads_panic = true;
    }

    /// The next write panics.
    pub(crate) fn panic_in_write(&self) {
        self.0.lock().expect("no holder panics").writes_panic = true;
    }

    pub(crate) fn open(&self) {
        self.change(|state| state.shut = false);
    }

    /// Lets `bytes` bytes pass, as if the peer had read that many.
    pub(crate) fn pass(&self, bytes: usize) {
        self.change(|state| state.passing += bytes);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.0.lock().expect("no holder panics");
        change(&mut state);
        if let Some(writer) = state.writer.take() {
            writer.wake();
        }
    }
}

/// A stream behind a gate.
pub(crate) struct Gated {
    stream: Accepted,
    gate: Gate,
}

impl AsyncRead for Gated {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let panics = std::mem::take(&mut self.gate.0.lock().expect("no holder panics").reads_panic);
        assert!(!panics, "planted in a read");
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Gated {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let gate = self.gate.clone();
        let mut state = gate.0.lock().expect("no holder panics");
        if !state.shut {
            let panics = std::mem::take(&mut state.writes_panic);
            drop(state);
            assert!(!panics, "planted in a write");
            return Pin::new(&mut self.stream).poll_write(cx, bytes);
        }
        if state.passing == 0 {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let passing = bytes.len().min(state.passing);
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &bytes[..passing]))?;
        state.passing -= written;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
