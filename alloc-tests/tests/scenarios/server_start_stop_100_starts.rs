//! A server's whole life: start, one answer, stop.

use alloc_tests::{Client, Scenario, Unit};

const REQUEST: &[u8] = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

pub(crate) fn scenario() -> Scenario {
    Scenario::new(Unit::Start, 100, |ops| {
        let mut client = Client::default();
        move |window| {
            for _ in 0..ops {
                let server = window.start()?;
                client.connect(server.addr())?;
                client.http(REQUEST, b"HTTP/1.1 200 ")?;
                client.expect_end()?;
                window.until_open(&server, 0)?;
                window.stop(server)?;
            }
            Ok(())
        }
    })
}
