//! A server that stops while probers ask whether it is ready: on a connection from before the drain, on new ones, and
//! with requests that never end, which the drain does not wait for.

use alloc_tests::scenario::AWAY;
use alloc_tests::window::{self, ServerWindow};
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};

const READY: &[u8] = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n";

const UPGRADE: &[u8] = b"GET /ws/echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// What late connections send that are open at the end: nothing, half a head, and a line that never ends.
const UNFINISHED: [&[u8]; 3] = [
    b"",
    b"GET /readyz HTTP/1.1\r\nHost: ",
    b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nX-Long: ",
];

pub(crate) fn scenario() -> Scenario {
    window::scenario("drain", 10, |ops| {
        let mut peers = Peers {
            session: Client::default(),
            kept: Client::default(),
            late: Client::default(),
            unfinished: Client::several(UNFINISHED.len() as u64),
            close: Frame::close(1001),
        };
        move |window| (0..ops).try_for_each(|_| peers.drain(window))
    })
}

struct Peers {
    /// The drain waits for it.
    session: Client,
    /// Connected before the drain.
    kept: Client,
    late: Client,
    unfinished: Vec<Client>,
    close: Frame,
}

impl Peers {
    fn drain(&mut self, window: &ServerWindow<'_>) -> anyhow::Result<()> {
        let server = window.start()?;
        self.kept.connect(server.addr())?;
        self.kept.http(READY, b" 200 ")?;
        self.session.upgrade(server.addr(), "/ws/echo")?;
        server.request_stop();
        self.session.expect(AWAY)?;
        self.kept.http(READY, b" 503 ")?;
        self.kept.expect_end()?;
        window.until_open(&server, 1)?;
        for request in [READY, UPGRADE, READY] {
            self.late.connect(server.addr())?;
            self.late.http(request, b" 503 ")?;
            self.late.expect_end()?;
            window.until_open(&server, 1)?;
        }
        for ((client, sent), open) in self.unfinished.iter_mut().zip(UNFINISHED).zip(2..) {
            client.connect(server.addr())?;
            client.send(sent)?;
            window.until_open(&server, open)?;
        }
        self.late.connect(server.addr())?;
        self.late.http(READY, b" 503 ")?;
        self.late.expect_end()?;
        self.session.send(&self.close.request)?;
        self.session.expect_end()?;
        window.stop(server)?;
        self.unfinished.iter_mut().for_each(Client::drop_connection);
        Ok(())
    }
}
