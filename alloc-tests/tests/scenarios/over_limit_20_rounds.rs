//! A round of connections beyond the limit: upgrades and the page are refused with 503, probes and scrapes are answered,
//! and the open connection goes on.

use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};
use server::Config;

const UPGRADE: &str = "GET /ws/echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

const SUBSCRIBE: &str = "GET /ws/dashboard HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

const REFUSED: [&str; 4] =
    [UPGRADE, SUBSCRIBE, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HEAD /page/main.js HTTP/1.1\r\nHost: localhost\r\n\r\n"];

const ANSWERED: [(&str, &str); 5] = [
    ("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", " 200 "),
    ("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n", " 200 "),
    ("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", " 200 "),
    ("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", " 404 "),
    ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", " 405 "),
];

pub(crate) fn scenario() -> Scenario {
    window::scenario("round", 20, |ops| {
        let (mut admitted, mut refused) = (Client::default(), Client::default());
        let message = Frame::text("still here");
        move |window| {
            let server = window.start_with(Config { max_connections: 1, ..window.config() })?;
            admitted.upgrade(server.addr(), "/ws/echo")?;
            for _ in 0..ops {
                for request in REFUSED {
                    refused.connect(server.addr())?;
                    refused.http(request.as_bytes(), b"HTTP/1.1 503 ")?;
                    refused.expect_end()?;
                    window.until_open(&server, 1)?;
                }
                refused.connect(server.addr())?;
                for (request, status) in ANSWERED {
                    refused.http(request.as_bytes(), status.as_bytes())?;
                }
                refused.drop_connection();
                window.until_open(&server, 1)?;
                admitted.exchange(&message.request, &message.reply)?;
            }
            admitted.close()?;
            let counters = window.stop(server)?;
            anyhow::ensure!(counters.connections_refused == 4 * ops, "{counters:?}");
            Ok(())
        }
    })
}
