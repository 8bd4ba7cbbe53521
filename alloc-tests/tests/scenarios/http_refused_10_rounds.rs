//! A round of connections that end with their first answer: requests that are no HTTP/1.1, too large, or the last ones
//! that their client wants to send.

use alloc_tests::scenario;
use plimsoll::Scenario;

/// A request, and the status of its answer.
type Case = (Vec<u8>, &'static str);

pub(crate) fn scenario() -> Scenario {
    scenario::cases(10, |config| config, cases, |client, server, (request, status)| {
        client.connect(server.addr())?;
        client.http(request, status.as_bytes())?;
        client.expect_end()
    })
}

fn cases() -> Vec<Case> {
    let head = |lines: &str| format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n").into_bytes();
    let headers: String = (0..70).map(|n| format!("X-Header-{n}: {n}\r\n")).collect();
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    vec![
        (head("Connection: close\r\n"), " 200 "),
        (b"GET /healthz HTTP/1.0\r\n\r\n".to_vec(), " 200 "),
        (b"HEAD /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n".to_vec(), " 200 "),
        (format!("GET /ws/echo HTTP/1.0\r\nHost: localhost\r\n{upgrade}\r\n").into_bytes(), " 400 "),
        (head(&headers), " 431 "),
        (head(&format!("X-Long: {}\r\n", "x".repeat(17 * 1024))), " 431 "),
        (format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(17 * 1024)).into_bytes(), " 431 "),
        (head("No colon\r\n"), " 400 "),
        (head(" : no name\r\n"), " 400 "),
        (b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n".to_vec(), " 400 "),
        (b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n".to_vec(), " 400 "),
        (b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n".to_vec(), " 400 "),
        (b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".to_vec(), " 405 "),
        (b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n".to_vec(), " 400 "),
        (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03".to_vec(), " 400 "),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), " 505 "),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), " 400 "),
        (head("Host: localhost\r\n"), " 400 "),
        (format!("GET /ws/echo HTTP/1.1\r\nHost: localhost\r\n{upgrade}Content-Length: 9\r\n\r\n").into_bytes(), " 400 "),
    ]
}
