//! Clients that start a request and never finish it: dropped after 5 s.

use std::time::Duration;

use alloc_tests::window;
use plimsoll::{Client, Frame, Scenario};
use server::stats::ErrorKind;

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 100, |ops| {
        let (mut witness, mut client) = (Client::default(), Client::default());
        let ping = Frame::ping(b"");
        move |window| {
            let server = window.start()?;
            witness.upgrade(server.addr(), "/ws/echo")?;
            window.until(&server, "the witness is upgraded", |counters| counters.echo_open == 1)?;
            for round in 0..ops {
                client.connect(server.addr())?;
                client.send(b"GET /ws/echo HTTP/1.1\r\nHost: ")?;
                // One read for the upgrade, two in every earlier round, and this one.
                window.until_read(1 + 2 * round + 1)?;
                // The server has one thread: when it answers this, it waits for the rest of the request.
                witness.exchange(&ping.request, &ping.reply)?;
                window.clock().advance(Duration::from_secs(6));
                window.until_open(&server, 1)?;
                client.drop_connection();
            }
            witness.close()?;
            let counters = window.stop(server)?;
            anyhow::ensure!(counters.errors[ErrorKind::Http as usize] == ops, "{counters:?}");
            Ok(())
        }
    })
}
