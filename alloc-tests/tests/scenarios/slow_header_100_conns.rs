//! Clients that begin a request and never end it: dropped after 5 s.

use std::time::Duration;

use alloc_tests::{Client, Scenario, Unit};
use server::stats::ErrorKind;

pub(crate) fn scenario() -> Scenario {
    Scenario::new(Unit::Connection, 100, |ops| {
        let mut client = Client::default();
        move |window| {
            let server = window.start()?;
            for reads in 1..=ops {
                client.connect(server.addr())?;
                client.send(b"GET /ws/echo HTTP/1.1\r\nHost: ")?;
                // Read, and waiting for more.
                window.until_read(reads)?;
                window.clock().advance(Duration::from_secs(6));
                window.until_open(&server, 0)?;
                client.drop_connection();
            }
            let counters = window.stop(server)?;
            anyhow::ensure!(counters.errors[ErrorKind::Http as usize] == ops, "{counters:?}");
            Ok(())
        }
    })
}
