//! A server that stops while a connection is in every state: in the middle of a request, with an upgrade or an answer
//! that is not taken, subscribed, paused, with a reset instead of an answer to the close frame, and three that never
//! end: two do not answer the close frame, one of them so late that the end of the drain drops it, as it does the one that
//! has sent half a head.

use std::time::Duration;

use alloc_tests::dashboard::TICK;
use alloc_tests::scenario::AWAY;
use alloc_tests::window::{self, ServerWindow};
use anyhow::ensure;
use plimsoll::io_count::IO;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};
use server::stats::Counters;
use server::{Config, Embedded};

/// Routes whose upgrade is not taken when the drain begins. The last peer never answers the close frame.
const LATE: [&str; 3] = ["/ws/echo", "/ws/dashboard", "/ws/echo"];

/// Requests cut in two, and the status of the answer.
const CUT: [(&[u8], &[u8], &[u8]); 7] = [
    (b"GET /readyz HTTP/1.1\r\nHost", b": localhost\r\n\r\n", b" 503 "),
    (b"GET /healthz HTTP/1.1\r\nHost", b": localhost\r\n\r\n", b" 200 "),
    (b"GET /metrics HTTP/1.1\r\nHost", b": localhost\r\n\r\n", b" 200 "),
    (
        b"GET /ws/echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n",
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        b" 503 ",
    ),
    (
        b"GET /ws/dashboard HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n",
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        b" 503 ",
    ),
    (b"GET / HTTP/1.1\r\nHost", b": localhost\r\n\r\n", b" 200 "),
    (b"GET /nowhere HTTP/1.1\r\nHost", b": localhost\r\n\r\n", b" 404 "),
];

pub(crate) fn scenario() -> Scenario {
    window::scenario("drain", 10, |ops| {
        let mut peers = Peers::default();
        move |window| (0..ops).try_for_each(|_| peers.drain(window))
    })
}

struct Peers {
    cut: Vec<Client>,
    paused: Client,
    late: Vec<(Client, Vec<u8>)>,
    last: Client,
    behind: Client,
    gone: Client,
    subscriber: Client,
    quiet: Client,
    stuck: Client,
    /// The last one that the server hears before the drain.
    echo: Client,
    answer: Frame,
    ping: Frame,
}

impl Default for Peers {
    fn default() -> Self {
        Self {
            cut: Client::several(CUT.len() as u64),
            paused: Client::default(),
            late: LATE.map(|path| (Client::default(), upgrade(path))).into(),
            last: Client::default(),
            behind: Client::default(),
            gone: Client::default(),
            subscriber: Client::default(),
            quiet: Client::default(),
            stuck: Client::default(),
            echo: Client::default(),
            answer: Frame::close(1001),
            ping: Frame::ping(b""),
        }
    }
}

impl Peers {
    fn drain(&mut self, window: &ServerWindow<'_>) -> anyhow::Result<()> {
        let drain = Duration::from_secs(3);
        let server = window.start_with(Config { drain, tick: TICK, ..window.config() })?;
        let addr = server.addr();
        for (client, (first, _, _)) in self.cut.iter_mut().zip(CUT) {
            client.connect(addr)?;
            client.send(first)?;
        }
        self.subscriber.upgrade(addr, "/ws/dashboard")?;
        self.subscriber.expect_text(br#"{"skipped":0,"#)?;
        self.quiet.upgrade(addr, "/ws/echo")?;
        self.stuck.connect(addr)?;
        self.stuck.send(CUT[0].0)?;
        self.gone.upgrade(addr, "/ws/echo")?;
        let accepted = 4 + CUT.len() as u64;
        window.until(&server, "all are accepted", |now| now.connections_total == accepted)?;
        self.behind_held_writes(window, &server)?;
        self.echo.upgrade(addr, "/ws/echo")?;
        self.pause(window, &server)?;
        server.request_stop();

        self.echo.expect(AWAY)?;
        let mut left = 7 + (LATE.len() + CUT.len()) as u64;
        self.echo.send(&self.answer.request)?;
        self.echo.expect_end()?;
        window.until_open(&server, left)?;
        self.gone.expect(AWAY)?;
        self.gone.reset()?;
        left -= 1;
        window.until_open(&server, left)?;
        for (client, (_, second, status)) in self.cut.iter_mut().zip(CUT) {
            client.http(second, status)?;
            client.expect_end()?;
            left -= 1;
            window.until_open(&server, left)?;
        }
        self.subscriber.expect(AWAY)?;
        self.subscriber.send(&self.answer.request)?;
        self.subscriber.expect_end()?;
        window.until_open(&server, 5 + LATE.len() as u64)?;
        self.turn(window, b": ")?;
        window.clock().advance(Duration::from_millis(1500));
        IO.release();
        self.taken_late(window, &server)?;
        self.behind.expect(b"\x81\x02hi")?;
        self.behind.expect(AWAY)?;
        self.behind.send(&self.answer.request)?;
        self.behind.expect_end()?;
        window.until_open(&server, 3)?;
        self.quiet.expect(AWAY)?;
        self.turn(window, b"cal")?;
        window.clock().advance(Duration::from_millis(500));
        window.until_open(&server, 2)?;
        self.quiet.drop_connection();
        self.turn(window, b"host")?;
        window.clock().advance(Duration::from_secs(1));
        self.stuck.expect_end()?;
        for (client, _) in self.late.iter_mut().skip(2) {
            client.expect_end()?;
        }
        window.stop_by_kill(server)?;
        Ok(())
    }

    /// A message, upgrades and a last request whose answers are not taken.
    fn behind_held_writes(
        &mut self,
        window: &ServerWindow<'_>,
        server: &Embedded,
    ) -> anyhow::Result<()> {
        IO.select_next();
        self.behind.upgrade(server.addr(), "/ws/echo")?;
        IO.select_next();
        self.paused.upgrade(server.addr(), "/ws/dashboard")?;
        self.paused.expect_text(br#"{"skipped":0,"#)?;
        IO.hold_writes();
        self.behind.send(b"\x81\x82\0\0\0\0hi")?;
        for (client, request) in &mut self.late {
            let accepted = server.stats().counters().connections_total;
            IO.select_next();
            client.connect(server.addr())?;
            client.send(request)?;
            window.until(server, "it is accepted", |now| now.connections_total > accepted)?;
        }
        IO.select_next();
        self.last.connect(server.addr())?;
        self.last.send(b"GET /healthz HTTP/1.0\r\n\r\n")
    }

    /// Ticks until a subscriber whose writes are held has paused; the other one takes them all.
    fn pause(&mut self, window: &ServerWindow<'_>, server: &Embedded) -> anyhow::Result<()> {
        let paused = |now: &Counters| now.backpressure_events == 1;
        while !paused(&server.stats().counters()) {
            let offered = server.stats().counters().snapshots_offered;
            window.clock().advance(TICK);
            window.until(server, "it is offered", |now| now.snapshots_offered == offered + 2)?;
            self.subscriber.expect_text(br#"{"skipped":0,"#)?;
            self.echo.exchange(&self.ping.request, &self.ping.reply)?;
        }
        Ok(())
    }

    /// A last answer, a paused subscriber, and sessions that begin when the drain has begun.
    fn taken_late(&mut self, window: &ServerWindow<'_>, server: &Embedded) -> anyhow::Result<()> {
        self.last.http(b"", b" 200 ")?;
        self.last.expect_end()?;
        window.until_open(server, 7)?;
        self.turn(window, b"lo")?;
        // Of the snapshots that wait it gets the one that was being written.
        self.paused.expect_text(br#"{"skipped":0,"#)?;
        self.paused.expect(AWAY)?;
        self.paused.send(&self.answer.request)?;
        self.paused.expect_end()?;
        window.until_open(server, 6)?;
        for ((client, _), left) in self.late.iter_mut().zip([5, 4, 6]) {
            let head = client.head()?;
            ensure!(head.starts_with(b"HTTP/1.1 101 "), "not upgraded");
            if left == 4 {
                client.expect_text(br#"{"skipped":0,"#)?;
            }
            client.expect(AWAY)?;
            if left < 6 {
                client.send(&self.answer.request)?;
                client.expect_end()?;
                window.until_open(server, left)?;
            }
        }
        Ok(())
    }

    /// A turn of the I/O driver, which releases a connection that has ended before a timer ends the next one. Released
    /// together, two cost one block less.
    fn turn(&mut self, window: &ServerWindow<'_>, sent: &[u8]) -> anyhow::Result<()> {
        let reads = IO.reads();
        self.stuck.send(sent)?;
        window.until_read(reads + 1)
    }
}

fn upgrade(path: &str) -> Vec<u8> {
    let (_, second, _) = CUT[3];
    let first = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n");
    [first.as_bytes(), second].concat()
}
