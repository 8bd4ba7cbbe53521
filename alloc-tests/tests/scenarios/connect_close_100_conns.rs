//! A whole connection: connect, upgrade, close handshake.

use alloc_tests::{Scenario, scenario};

pub(crate) fn scenario() -> Scenario {
    scenario::connections(100, |client, server| {
        client.upgrade(server.addr(), "/ws/echo")?;
        scenario::close(client)
    })
}
