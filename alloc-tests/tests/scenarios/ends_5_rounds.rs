//! A round of connections that end in every way: without a close frame, in the middle of a head or a frame, by a reset,
//! before the server reads, behind answers that are not taken yet, and by close frames of every shape.

use std::time::Duration;

use alloc_tests::scenario::refusal;
use alloc_tests::window::{self, ServerWindow};
use plimsoll::io_count::IO;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};
use server::Embedded;

/// Sent before the peer disappears: nothing, half a header, half a payload, a fragment without a last one, a message
/// without its close.
const CUT_SHORT: [&[u8]; 5] =
    [b"", b"\x81", b"\x81\x84\0\0\0\0pi", b"\x01\x82\0\0\0\0pi", b"\x02\x82\0\0\0\0pi\x80\xfe"];

/// Close frames, masked with zeros, and the answers.
const CLOSES: [(&[u8], &[u8]); 9] = [
    (b"\x88\x80\0\0\0\0", b"\x88\x00"),
    (b"\x88\x82\0\0\0\0\x03\xe8", b"\x88\x02\x03\xe8"),
    (b"\x88\x85\0\0\0\0\x03\xe9bye", b"\x88\x05\x03\xe9bye"),
    (b"\x88\x82\0\0\0\0\x0b\xb8", b"\x88\x02\x0b\xb8"),
    (b"\x88\x82\0\0\0\0\x13\x87", b"\x88\x02\x13\x87"),
    // A code that no peer may send, and one that does not exist.
    (b"\x88\x82\0\0\0\0\x03\xed", b"\x88\x14\x03\xeaProtocol violation"),
    (b"\x88\x82\0\0\0\0\x03\xe7", b"\x88\x14\x03\xeaProtocol violation"),
    // A broken rule behind a message.
    (b"\x82\x81\0\0\0\0a\xf1\x80\0\0\0\0", b"\x82\x01a\x88\x10\x03\xeaprotocol error"),
    // Behind a message, and before one that is ignored.
    (b"\x81\x82\0\0\0\0hi\x88\x80\0\0\0\0\x81\x82\0\0\0\0hi", b"\x81\x02hi\x88\x00"),
];

pub(crate) fn scenario() -> Scenario {
    window::scenario("round", 5, |ops| {
        let mut peers = Peers::default();
        move |window| {
            let server = window.start()?;
            peers.witness.upgrade(server.addr(), "/ws/echo")?;
            (0..ops).try_for_each(|_| peers.round(window, &server))?;
            peers.witness.close()?;
            window.stop(server)?;
            Ok(())
        }
    })
}

struct Peers {
    /// Open all the time. The server has one thread: when it answers this client, it has read all that came before on
    /// the connections that it has accepted.
    witness: Client,
    client: Client,
    ping: Frame,
    long_close: Frame,
    /// Longer than the server gathers before it writes.
    long: Frame,
    /// A frame with a reserved bit, and more behind it than the server reads at once.
    flood: Vec<u8>,
}

impl Default for Peers {
    fn default() -> Self {
        let reason = [&[0x03, 0xe8], &[b'r'; 123][..]].concat();
        let request = [&[0x88, 0x80 | 125, 0, 0, 0, 0], &reason[..]].concat();
        let reply = [&[0x88, 125], &reason[..]].concat();
        Self {
            witness: Client::default(),
            client: Client::default(),
            ping: Frame::ping(b""),
            long_close: Frame { request, reply },
            long: Frame::binary(12 * 1024).then(&Frame::text("hi")),
            flood: [b"\xf1\x80\0\0\0\0", &[0; 16 * 1024][..]].concat(),
        }
    }
}

impl Peers {
    fn round(&mut self, window: &ServerWindow<'_>, server: &Embedded) -> anyhow::Result<()> {
        self.http(window, server)?;
        self.cut_short(window, server)?;
        self.held_back(window, server)?;
        self.long_held_back(window, server)?;
        self.unread(window, server)?;
        self.subscribers(window, server)?;
        self.closes(window, server)
    }

    /// The server has read all that was sent before.
    fn barrier(&mut self) -> anyhow::Result<()> {
        self.witness.exchange(&self.ping.request, &self.ping.reply)
    }

    /// Drops the client's connection, and waits until the server has.
    fn gone(&mut self, window: &ServerWindow<'_>, server: &Embedded) -> anyhow::Result<()> {
        self.client.drop_connection();
        window.until_open(server, 1)
    }

    /// Nothing sent, half a head with an end or a reset, a refusal that is taken late, and a reset behind the last answer.
    fn http(&mut self, window: &ServerWindow<'_>, server: &Embedded) -> anyhow::Result<()> {
        for (sent, resets) in [(&b""[..], false), (b"GET / HTTP/1.1\r\nHost: ", false), (b"GET / HTT", true)] {
            self.client.connect(server.addr())?;
            self.client.send(sent)?;
            window.until_open(server, 2)?;
            self.barrier()?;
            if resets {
                self.client.reset()?;
            }
            self.gone(window, server)?;
        }
        IO.select_next();
        IO.hold_writes();
        self.client.connect(server.addr())?;
        self.client.send(b"no request\r\n\r\n")?;
        window.until_open(server, 2)?;
        self.barrier()?;
        IO.release();
        self.client.http(b"", b" 400 ")?;
        self.client.expect_end()?;
        window.until_open(server, 1)?;
        // A reset between the last answer and the end of the server's side.
        IO.select_next();
        IO.hold_end();
        self.client.connect(server.addr())?;
        self.client.http(b"GET /healthz HTTP/1.0\r\n\r\n", b" 200 ")?;
        self.client.reset()?;
        IO.release();
        window.until_open(server, 1)
    }

    fn cut_short(&mut self, window: &ServerWindow<'_>, server: &Embedded) -> anyhow::Result<()> {
        for sent in CUT_SHORT {
            for resets in [false, true] {
                self.client.upgrade(server.addr(), "/ws/echo")?;
                self.client.send(sent)?;
                self.barrier()?;
                if resets {
                    self.client.reset()?;
                }
                self.gone(window, server)?;
            }
        }
        self.client.upgrade(server.addr(), "/ws/dashboard")?;
        self.client.expect_text(br#"{"skipped":0,"#)?;
        self.gone(window, server)
    }

    /// Answers that are not taken when the peer goes: messages, a close frame, a page.
    fn held_back(&mut self, window: &ServerWindow<'_>, server: &Embedded) -> anyhow::Result<()> {
        let messages = b"\x81\x82\0\0\0\0hi\x82\x82\0\0\0\0hi\x89\x80\0\0\0\0";
        for resets in [false, true] {
            IO.select_next();
            self.client.upgrade(server.addr(), "/ws/echo")?;
            IO.hold_writes();
            self.client.send(messages)?;
            self.barrier()?;
            if resets {
                self.client.reset()?;
            }
            self.client.drop_connection();
            IO.release();
            window.until_open(server, 1)?;
        }
        self.close_not_taken(window, server)?;
        IO.select_next();
        IO.hold_writes();
        self.client.connect(server.addr())?;
        self.client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        window.until_open(server, 2)?;
        self.barrier()?;
        self.client.reset()?;
        // The write that waits finds the reset.
        IO.release();
        window.until_open(server, 1)
    }

    /// A batch that is not taken, and is longer than the server gathers: it is taken later, or never.
    fn long_held_back(
        &mut self,
        window: &ServerWindow<'_>,
        server: &Embedded,
    ) -> anyhow::Result<()> {
        for resets in [false, true] {
            IO.select_next();
            self.client.upgrade(server.addr(), "/ws/echo")?;
            IO.hold_writes();
            self.client.send(&self.long.request)?;
            self.barrier()?;
            if resets {
                self.client.reset()?;
                IO.release();
            } else {
                IO.release();
                self.client.expect(&self.long.reply)?;
                self.client.close()?;
            }
            window.until_open(server, 1)?;
        }
        Ok(())
    }

    /// A peer that resets before the server reads what it sent, and one that does so before a snapshot.
    fn unread(&mut self, window: &ServerWindow<'_>, server: &Embedded) -> anyhow::Result<()> {
        IO.select_next();
        self.client.upgrade(server.addr(), "/ws/echo")?;
        self.barrier()?;
        IO.hold_reads();
        self.client.send(&self.long.request)?;
        self.client.reset()?;
        self.barrier()?;
        IO.release();
        window.until_open(server, 1)?;
        IO.select_next();
        self.client.upgrade(server.addr(), "/ws/dashboard")?;
        self.client.expect_text(br#"{"skipped":0,"#)?;
        self.barrier()?;
        IO.hold_reads();
        self.client.reset()?;
        self.barrier()?;
        window.clock().advance(window.config().tick);
        window.until_open(server, 1)?;
        IO.release();
        Ok(())
    }

    /// A subscriber's close frame whose answer is not taken while a snapshot comes.
    fn subscribers(&mut self, window: &ServerWindow<'_>, server: &Embedded) -> anyhow::Result<()> {
        IO.select_next();
        self.client.upgrade(server.addr(), "/ws/dashboard")?;
        self.client.expect_text(br#"{"skipped":0,"#)?;
        IO.hold_writes();
        self.client.send(CLOSES[0].0)?;
        self.barrier()?;
        let offered = server.stats().counters().snapshots_offered;
        window.clock().advance(window.config().tick);
        window.until(server, "the snapshot is offered", |now| now.snapshots_offered > offered)?;
        self.barrier()?;
        IO.release();
        self.client.expect(CLOSES[0].1)?;
        self.client.expect_end()?;
        window.until_open(server, 1)
    }

    /// The answer to a close frame, and the close frame for a broken rule.
    fn close_not_taken(
        &mut self,
        window: &ServerWindow<'_>,
        server: &Embedded,
    ) -> anyhow::Result<()> {
        IO.select_next();
        self.client.upgrade(server.addr(), "/ws/echo")?;
        IO.hold_writes();
        self.client.send(CLOSES[0].0)?;
        self.barrier()?;
        // The peer has two seconds to take the answer.
        window.clock().advance(Duration::from_secs(2));
        self.client.expect_end()?;
        window.until_open(server, 1)?;
        IO.release();
        IO.select_next();
        self.client.upgrade(server.addr(), "/ws/echo")?;
        IO.hold_writes();
        self.client.send(b"\xf1\x80\0\0\0\0")?;
        self.barrier()?;
        self.client.reset()?;
        IO.release();
        window.until_open(server, 1)
    }

    fn closes(&mut self, window: &ServerWindow<'_>, server: &Embedded) -> anyhow::Result<()> {
        for path in ["/ws/echo", "/ws/dashboard"] {
            for (request, reply) in &CLOSES[..if path == "/ws/echo" { 9 } else { 3 }] {
                self.client.upgrade(server.addr(), path)?;
                if path == "/ws/dashboard" {
                    self.client.expect_text(br#"{"skipped":0,"#)?;
                }
                self.client.exchange(request, reply)?;
                self.client.expect_end()?;
                self.gone(window, server)?;
            }
        }
        self.client.upgrade(server.addr(), "/ws/echo")?;
        self.client.exchange(&self.long_close.request, &self.long_close.reply)?;
        self.client.expect_end()?;
        self.gone(window, server)?;
        // A peer that sends on after it broke a rule still gets the reason.
        self.client.upgrade(server.addr(), "/ws/echo")?;
        self.client.exchange(&self.flood, refusal(1002))?;
        self.client.expect_end()?;
        self.gone(window, server)
    }
}
