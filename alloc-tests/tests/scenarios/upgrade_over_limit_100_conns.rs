//! Upgrades beyond the connection limit: 503, without an effect on the open connection.

use alloc_tests::window;
use plimsoll::{Client, Frame, Scenario};
use server::Config;

const REQUEST: &[u8] =
    b"GET /ws/echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 100, |ops| {
        let (mut admitted, mut refused) = (Client::default(), Client::default());
        let message = Frame::text("still here");
        move |window| {
            let server = window.start_with(Config { max_connections: 1, ..window.config() })?;
            admitted.upgrade(server.addr(), "/ws/echo")?;
            for _ in 0..ops {
                refused.connect(server.addr())?;
                refused.http(REQUEST, b"HTTP/1.1 503 ")?;
                refused.expect_end()?;
                window.until_open(&server, 1)?;
            }
            admitted.exchange(&message.request, &message.reply)?;
            admitted.close()?;
            let counters = window.stop(server)?;
            anyhow::ensure!(counters.connections_refused == ops, "{counters:?}");
            Ok(())
        }
    })
}
