//! Upgrades as browsers, libraries and probes send them: another key each time, with a query, an origin, cookies,
//! extensions, subprotocols and many headers; some with a message behind the request, some behind another request.

use alloc_tests::window;
use anyhow::ensure;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The path with its query, and the headers besides those that every upgrade has.
const CLIENTS: [(&str, &str); 9] = [
    ("/ws/echo", "Connection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\nUpgrade: websocket\r\nOrigin: http://localhost:9001\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\nCookie: session=0123456789abcdef; theme=dark\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"),
    ("/ws/echo?room=42&token=eyJhbGciOiJIUzI1NiJ9.e30.ZRrHA1JJJW8opsbCGfG_HACGpVUMN_a9IV7pAx_Zmeo", "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0\r\nAccept: */*\r\nSec-WebSocket-Extensions: permessage-deflate\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: websocket\r\nSec-Fetch-Site: same-origin\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nOrigin: https://localhost:9001\r\n"),
    ("/ws/dashboard", "Connection: Upgrade\r\nUpgrade: websocket\r\nOrigin: http://127.0.0.1:9001\r\nSec-WebSocket-Protocol: graphql-transport-ws, graphql-ws\r\n"),
    ("/ws/echo", "upgrade: WebSocket\r\nconnection: upgrade\r\nauthorization: Bearer 0123456789abcdef0123456789abcdef\r\nsec-websocket-protocol: chat, superchat\r\n"),
    ("/ws/echo?", "CONNECTION: close, UPGRADE\r\nUPGRADE: h2c, WEBSOCKET\r\nAuthorization: Basic dXNlcjpwYXNz\r\n"),
    ("/ws/echo", "Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Forwarded-For: 192.0.2.1, 198.51.100.7\r\nX-Forwarded-Proto: https\r\nForwarded: for=192.0.2.1;proto=https\r\nVia: 1.1 proxy\r\nX-Request-Id: 4bf92f3577b34da6a3ce929d0e0e4736\r\nTraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"),
    ("/ws/dashboard?since=17&compact=true", "Connection: Upgrade\r\nUpgrade: websocket\r\nX-Name: Caf\u{e9}\r\n"),
    ("http://localhost/ws/echo", "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    ("/ws/echo", "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
];

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// One connection: the request, its accept key, and the exchange before the close.
struct Connection {
    request: Vec<u8>,
    accept: String,
    /// Whether the message comes right behind the request.
    at_once: bool,
    /// Whether another request comes first.
    second: bool,
    subscribes: bool,
}

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 100, |ops| {
        let mut client = Client::default();
        let message = Frame::text("hello");
        let connections: Vec<_> = (0..ops).map(|n| connection(n, &message)).collect();
        move |window| {
            let server = window.start()?;
            for Connection { request, accept, at_once, second, subscribes } in &connections {
                client.connect(server.addr())?;
                if *second {
                    client.http(HEALTH, b" 200 ")?;
                }
                client.send(request)?;
                let head = client.head()?;
                ensure!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(head));
                ensure!(
                    head.windows(accept.len()).any(|part| part == accept.as_bytes()),
                    "the answer has another key than {accept}"
                );
                match (subscribes, at_once) {
                    (true, _) => client.expect_text(br#"{"skipped":0,"#)?,
                    (false, true) => client.expect(&message.reply)?,
                    (false, false) => client.exchange(&message.request, &message.reply)?,
                }
                client.close()?;
                window.until_open(&server, 0)?;
            }
            window.stop(server)?;
            Ok(())
        }
    })
}

fn connection(n: u64, message: &Frame) -> Connection {
    let key = key(n);
    let (path, headers) = CLIENTS[n as usize % CLIENTS.len()];
    // The last of them has as many headers as a request may have, and in turn cookies of up to 12 KiB.
    let many: String = match n as usize % CLIENTS.len() == CLIENTS.len() - 1 {
        true => (0..58).map(|i| format!("X-{i}: {i}\r\n")).collect(),
        false => String::new(),
    };
    let cookie = match n % 10 {
        9 => format!("Cookie: {}\r\n", "c".repeat(12 * 1024)),
        _ => String::new(),
    };
    let mut request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:9001\r\n{headers}{many}{cookie}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    .into_bytes();
    let subscribes = path.contains("dashboard");
    let at_once = !subscribes && n.is_multiple_of(2);
    if at_once {
        request.extend_from_slice(&message.request);
    }
    let second = n % 4 == 1;
    Connection { request, accept: derive_accept_key(key.as_bytes()), at_once, second, subscribes }
}

/// 16 bytes in base64 that differ from connection to connection and not from run to run.
fn key(n: u64) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut digit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(DIGITS[(state >> 58) as usize])
    };
    let digits: String = (0..21).map(|_| digit()).collect();
    format!("{digits}Q==")
}
