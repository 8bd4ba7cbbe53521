//! A round of peers that speak HTTP and do not read: pipelined requests whose answers are not taken, not even the first, an
//! upgrade that is not taken, and an end behind a request. Each is dropped after 5 s.

use std::time::Duration;

use alloc_tests::window::{self, ServerWindow};
use plimsoll::io_count::IO;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};
use server::stats::ErrorKind;
use server::{Config, Embedded};

const GET: &str = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";

const UPGRADE: &str = "GET /ws/echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Peers of one round.
const PEERS: u64 = 4;

pub(crate) fn scenario() -> Scenario {
    window::scenario("round", 20, |ops| {
        let mut peers = Peers {
            witness: Client::default(),
            client: Client::default(),
            ping: Frame::ping(b""),
            pipelined: GET.repeat(100).into_bytes(),
        };
        move |window| {
            // Without ticks, every new timer is a connection's.
            let tick = Duration::from_secs(u32::MAX.into());
            let server = window.start_with(Config { tick, ..window.config() })?;
            peers.witness.upgrade(server.addr(), "/ws/echo")?;
            (0..ops).try_for_each(|_| peers.round(window, &server))?;
            peers.witness.close()?;
            let counters = window.stop(server)?;
            let stalled = counters.errors[ErrorKind::Stalled as usize];
            anyhow::ensure!(
                stalled == PEERS * ops && counters.backpressure_events == stalled,
                "{counters:?}"
            );
            Ok(())
        }
    })
}

struct Peers {
    /// Open all the time.
    witness: Client,
    client: Client,
    ping: Frame,
    pipelined: Vec<u8>,
}

impl Peers {
    fn round(&mut self, window: &ServerWindow<'_>, server: &Embedded) -> anyhow::Result<()> {
        for answers in [0, 3] {
            self.connect(window, server)?;
            IO.hold_writes_after(answers);
            let timers = window.clock().timers().made;
            self.client.send(&self.pipelined)?;
            self.dropped(window, server, timers)?;
        }
        self.connect(window, server)?;
        IO.hold_writes();
        let timers = window.clock().timers().made;
        self.client.send(UPGRADE.as_bytes())?;
        self.dropped(window, server, timers)?;
        self.connect(window, server)?;
        IO.hold_writes();
        let timers = window.clock().timers().made;
        self.client.send(GET.as_bytes())?;
        self.client.end_sending()?;
        self.dropped(window, server, timers)
    }

    /// A connection that the server waits for, with the timer of its first head.
    fn connect(&mut self, window: &ServerWindow<'_>, server: &Embedded) -> anyhow::Result<()> {
        IO.select_next();
        self.client.connect(server.addr())?;
        window.until_open(server, 2)?;
        self.witness.exchange(&self.ping.request, &self.ping.reply)
    }

    /// The server makes a timer because the client does not read, and drops the client once its time is over.
    fn dropped(
        &mut self,
        window: &ServerWindow<'_>,
        server: &Embedded,
        timers: u64,
    ) -> anyhow::Result<()> {
        window.until_timers(timers + 1)?;
        self.witness.exchange(&self.ping.request, &self.ping.reply)?;
        window.clock().advance(Duration::from_secs(5));
        window.until_open(server, 1)?;
        IO.release();
        self.client.drop_connection();
        Ok(())
    }
}
