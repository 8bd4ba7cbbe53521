//! Connections that present the token: as a program does, and in turn as a browser's page from an allowed origin.

use alloc_tests::window;
use anyhow::ensure;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};
use server::access::Token;
use server::{Access, Config};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

const PROGRAM: &[u8] = b"GET /ws/echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Authorization: Bearer 0123456789abcdef0123456789abcdef\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

const BROWSER: &[u8] = b"GET /ws/echo HTTP/1.1\r\nHost: plimsoll.example:9001\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Origin: https://plimsoll.example\r\nSec-WebSocket-Protocol: plimsoll, bearer.0123456789abcdef0123456789abcdef\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 100, |ops| {
        let mut client = Client::default();
        let message = Frame::text("hello");
        move |window| {
            let access = Access {
                origins: vec!["https://plimsoll.example".parse()?],
                token: Some(Token::new(TOKEN)?),
                ..Access::default()
            };
            let server = window.start_with(Config { access, ..window.config() })?;
            for n in 0..ops {
                client.connect(server.addr())?;
                client.send(if n % 2 == 0 { PROGRAM } else { BROWSER })?;
                let head = client.head()?;
                ensure!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(head));
                client.exchange(&message.request, &message.reply)?;
                client.close()?;
                window.until_open(&server, 0)?;
            }
            window.stop(server)?;
            Ok(())
        }
    })
}
