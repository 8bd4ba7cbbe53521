//! Peers that go silent: pinged after 25 s, dropped 10 s later.

use std::time::Duration;

use alloc_tests::window;
use plimsoll::{Client, Scenario};
use server::stats::ErrorKind;

/// An empty ping.
const PING: [u8; 2] = [0x89, 0];

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 100, |ops| {
        let mut client = Client::default();
        move |window| {
            let server = window.start()?;
            for _ in 0..ops {
                client.upgrade(server.addr(), "/ws/echo")?;
                window
                    .until(&server, "the client is upgraded", |counters| counters.echo_open == 1)?;
                window.clock().advance(Duration::from_secs(25));
                client.expect(&PING)?;
                window.clock().advance(Duration::from_secs(10));
                client.expect_end()?;
                window.until_open(&server, 0)?;
            }
            let counters = window.stop(server)?;
            anyhow::ensure!(counters.errors[ErrorKind::Silent as usize] == ops, "{counters:?}");
            Ok(())
        }
    })
}
