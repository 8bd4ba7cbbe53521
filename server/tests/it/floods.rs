//! Peers that send frames without end: each is within RFC 6455, and the server refuses or bounds them all.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use server::Config;
use server::stats::ErrorKind;
use tokio::io::{AsyncRead, ReadBuf};

use tokio_tungstenite::tungstenite::Message;

use crate::support::{Peer, Server, assert_echoes, client, closes, errors, frame, text};

/// Most fragments of a message.
const FRAGMENTS: usize = 1024;

/// Most pongs and empty frames in a second.
const IDLE_FRAMES: usize = 4096;

/// Most pings in a second.
const PINGS: usize = 256;

const ROUTES: [&str; 2] = ["/ws/echo", "/ws/dashboard"];

/// Sends `bytes` to a new session; expects 1008 behind other frames, then the end of the session.
#[track_caller]
fn check(path: &str, bytes: &[u8]) {
    let server = Server::start();
    let mut peer = Peer::upgraded(server.addr(), path);
    peer.send(bytes);
    let (code, _) = std::iter::repeat_with(|| peer.frame())
        .find(|(first, _)| *first == 0x88)
        .map(|(_, payload)| (u16::from_be_bytes([payload[0], payload[1]]), payload))
        .expect("an endless iterator");
    assert_eq!(code, 1008);
    peer.send(&frame(0x88, &code.to_be_bytes()));
    peer.ended();
    drop(peer);
    let counters = server.until(|counters| counters.connections_open == 0);
    assert_eq!((closes(&counters, 1008), errors(&counters, ErrorKind::Policy)), (1, 1));
    assert_eq!(counters.errors.iter().sum::<u64>(), 1);
}

/// A message of `fragments` fragments with `payload` each.
fn fragmented(fragments: usize, payload: &[u8]) -> Vec<u8> {
    let between = frame(0x00, payload).repeat(fragments - 2);
    [frame(0x02, payload), between, frame(0x80, payload)].concat()
}

#[test]
fn a_message_of_more_than_1024_fragments_is_closed_with_1008() {
    for path in ROUTES {
        for payload in [&b""[..], b"x"] {
            check(path, &fragmented(FRAGMENTS + 1, payload));
        }
    }
}

#[test]
fn a_message_of_1024_fragments_is_echoed() {
    let server = Server::start();
    let mut peer = Peer::upgraded(server.addr(), "/ws/echo");
    for payload in [&b""[..], b"x"] {
        for _ in 0..2 {
            peer.send(&fragmented(FRAGMENTS, payload));
            assert_eq!(peer.frame(), (0x82, payload.repeat(FRAGMENTS)));
        }
    }
}

#[test]
fn continuations_without_end_are_closed_with_1008() {
    let endless = [frame(0x01, b""), frame(0x00, b"").repeat(20_000)].concat();
    check("/ws/echo", &endless);
}

#[test]
fn pings_pongs_and_empty_messages_without_end_are_closed_with_1008() {
    for path in ROUTES {
        for first in [0x8a, 0x81, 0x82] {
            check(path, &frame(first, b"").repeat(IDLE_FRAMES + 1000));
        }
        for payload in [&b""[..], b"are you there?"] {
            check(path, &frame(0x89, payload).repeat(PINGS + 1000));
        }
    }
}

#[test]
fn a_client_may_ping_256_times_a_second() {
    let server = Server::start();
    let mut peer = Peer::upgraded(server.addr(), "/ws/echo");
    let (ping, pong) = (frame(0x89, b"").repeat(64), (0x8a, vec![]));
    for _ in 0..4 {
        for _ in 0..PINGS / 64 {
            peer.send(&ping);
            (0..64).for_each(|_| assert_eq!(peer.frame(), pong));
        }
        server.advance(Duration::from_secs(1));
    }
    assert_eq!(server.counters().errors.iter().sum::<u64>(), 0);
}

/// What a server reads of the first connection that it accepted, a flooder, and when it next reads another.
#[derive(Default)]
struct Reads {
    accepted: AtomicUsize,
    /// The server's thread waits before it reads from the flooder.
    held: AtomicBool,
    waits: AtomicBool,
    /// Bytes read from the flooder since then.
    of_flooder: AtomicUsize,
    /// [`Reads::of_flooder`] at the first read from another connection.
    before_other: OnceLock<usize>,
}

/// The reading side of a connection.
struct Watched {
    stream: tokio::io::ReadHalf<server::socket::Accepted>,
    is_flooder: bool,
    reads: Arc<Reads>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let reads = Arc::clone(&self.reads);
        while self.is_flooder && reads.held.load(SeqCst) {
            reads.waits.store(true, SeqCst);
            std::thread::yield_now();
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let read = buffer.filled().len() - before;
        if self.is_flooder {
            reads.of_flooder.fetch_add(read, SeqCst);
        } else if read > 0 && reads.waits.load(SeqCst) {
            let before = reads.of_flooder.load(SeqCst);
            reads.before_other.get_or_init(|| before);
        }
        polled
    }
}

#[test]
fn a_flooder_does_not_keep_the_server_from_other_clients() {
    // One byte is a message, a fragment or a pong: none of them alone breaks a limit.
    let fragments = fragmented(1000, b"x");
    for flood in [frame(0x81, b"x"), fragments, frame(0x8a, b"x")] {
        let reads = Arc::new(Reads::default());
        let server = Server::wrapped(Config::default(), {
            let reads = Arc::clone(&reads);
            move |stream| {
                let is_flooder = reads.accepted.fetch_add(1, SeqCst) == 0;
                let (stream, writes) = tokio::io::split(stream);
                tokio::io::join(Watched { stream, is_flooder, reads: Arc::clone(&reads) }, writes)
            }
        });
        let mut flooder = Peer::upgraded(server.addr(), "/ws/echo");
        let mut other = client(server.addr(), "/ws/echo");
        assert_echoes(&mut other, "before");
        server.settle();
        reads.held.store(true, SeqCst);
        flooder.send(&frame(0x82, b"wakes the server"));
        while !reads.waits.load(SeqCst) {
            std::thread::yield_now();
        }
        reads.of_flooder.store(0, SeqCst);
        // 28 KB: as many pongs as are legal in a second, and less than the buffers of the sockets hold.
        let flood = flood.repeat(28_000 / flood.len());
        flooder.send(&flood);
        other.send(Message::text("during")).expect("the server takes it");
        reads.held.store(false, SeqCst);
        assert_eq!(text(&mut other).as_str(), "during");
        let before = *reads.before_other.get().expect("the other client was served");
        // 8 KiB are one read.
        assert!(before <= 2 * 8192, "{before} bytes of the flooder came first");
    }
}
