//! Clients that reset the connection after the upgrade.

use alloc_tests::window;
use plimsoll::{Client, Scenario};

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 100, |ops| {
        let mut client = Client::default();
        move |window| {
            let server = window.start()?;
            for _ in 0..ops {
                client.upgrade(server.addr(), "/ws/echo")?;
                window
                    .until(&server, "the client is upgraded", |counters| counters.echo_open == 1)?;
                client.reset()?;
                window.until_open(&server, 0)?;
            }
            let counters = window.stop(server)?;
            anyhow::ensure!(
                counters.errors[server::stats::ErrorKind::Reset as usize] == ops,
                "{counters:?}"
            );
            Ok(())
        }
    })
}
