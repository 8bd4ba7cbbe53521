//! A round of requests that are refused for their host, their origin or their token, on connections of their own and on
//! one that is kept alive.

use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::ws::Client;
use server::access::Token;
use server::stats::ErrorKind;
use server::{Access, Config};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A path, header lines, and the status of the answer.
type Case = (&'static str, &'static str, &'static str);

const CASES: [Case; 13] = [
    ("/", "Host: rebound.evil.example\r\n", " 403 "),
    ("/metrics", "Host: localhost.evil.example:9001\r\n", " 403 "),
    ("/ws/echo", "Host: 192.168.1.5\r\n", " 403 "),
    ("/", "Host: localhost\r\nOrigin: https://evil.example\r\n", " 403 "),
    ("/ws/dashboard", "Host: localhost\r\nOrigin: http://localhost.evil.example\r\n", " 403 "),
    ("/ws/echo", "Host: localhost\r\nOrigin: null\r\n", " 403 "),
    ("/metrics", "Host: localhost\r\nOrigin: http://localhost\r\nOrigin: https://evil.example\r\n", " 403 "),
    ("/metrics", "Host: localhost\r\n", " 401 "),
    ("/ws/dashboard", "Host: localhost\r\nAuthorization: Bearer 0123456789abcdef0123456789abcdee\r\n", " 401 "),
    ("/ws/echo", "Host: localhost\r\nAuthorization: Basic 0123456789abcdef0123456789abcdef\r\n", " 401 "),
    ("/ws/echo", "Host: localhost\r\nSec-WebSocket-Protocol: plimsoll, bearer.0123\r\n", " 401 "),
    ("/ws/echo?token=0123456789abcdef0123456789abcdef", "Host: localhost\r\n", " 401 "),
    ("/healthz", "Host: rebound.evil.example\r\nOrigin: null\r\n", " 200 "),
];

pub(crate) fn scenario() -> Scenario {
    window::scenario("round", 10, |ops| {
        let (mut once, mut kept) = (Client::default(), Client::default());
        let requests = CASES.map(|(path, lines, status)| {
            let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
            let upgrade = if path.starts_with("/ws/") { upgrade } else { "" };
            (format!("GET {path} HTTP/1.1\r\n{lines}{upgrade}\r\n").into_bytes(), status)
        });
        move |window| {
            let token = Token::new(TOKEN)?;
            let access = Access { token: Some(token), ..Access::default() };
            let server = window.start_with(Config { access, ..window.config() })?;
            kept.connect(server.addr())?;
            for _ in 0..ops {
                for (request, status) in &requests {
                    kept.http(request, status.as_bytes())?;
                    once.connect(server.addr())?;
                    once.http(request, status.as_bytes())?;
                    once.drop_connection();
                    window.until_open(&server, 1)?;
                }
            }
            kept.drop_connection();
            window.until_open(&server, 0)?;
            let refused = window.stop(server)?.errors[ErrorKind::Access as usize];
            anyhow::ensure!(refused == 2 * 12 * ops, "{refused} requests were refused");
            Ok(())
        }
    })
}
