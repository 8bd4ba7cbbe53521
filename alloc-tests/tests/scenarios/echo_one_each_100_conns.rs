//! A whole connection with one message.

use alloc_tests::scenario;
use plimsoll::Scenario;

/// "ping", masked with zeros, and as it comes back.
const REQUEST: [u8; 10] = *b"\x81\x84\0\0\0\0ping";
const REPLY: [u8; 6] = *b"\x81\x04ping";

pub(crate) fn scenario() -> Scenario {
    scenario::connections(100, |client, server| {
        client.upgrade(server.addr(), "/ws/echo")?;
        client.exchange(&REQUEST, &REPLY)?;
        client.close()
    })
}
