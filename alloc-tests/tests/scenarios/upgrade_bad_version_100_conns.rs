//! Upgrades to an unsupported WebSocket version: 426.

use alloc_tests::scenario;
use plimsoll::Scenario;

const REQUEST: &[u8] =
    b"GET /ws/echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

pub(crate) fn scenario() -> Scenario {
    scenario::connections(100, |client, server| {
        client.connect(server.addr())?;
        client.http(REQUEST, b"HTTP/1.1 426 ")
    })
}
