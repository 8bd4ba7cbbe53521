//! A whole connection: connect, upgrade, close handshake.

use alloc_tests::scenario;
use plimsoll::Scenario;

pub(crate) fn scenario() -> Scenario {
    scenario::connections(100, |client, server| {
        client.upgrade(server.addr(), "/ws/echo")?;
        client.close()
    })
}
