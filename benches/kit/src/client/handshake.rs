//! The upgrade of a connection.

use std::fmt::Write as _;
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use conversation::Conversation;

use super::Client;

/// The key of RFC 6455 §1.3, whose answer is known.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// What a client asks for, made once.
#[derive(Clone, Debug)]
pub struct Upgrade {
    path: String,
    subprotocol: Option<String>,
    /// The lines of the request that are the same for each address.
    lines: String,
}

impl Upgrade {
    /// An upgrade of `path` without a subprotocol.
    #[must_use]
    pub fn plain(path: &str) -> Self {
        let lines = format!(
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: {KEY}\r\n"
        );
        Self { path: path.to_owned(), subprotocol: None, lines }
    }

    /// The upgrade that a checked conversation begins with. `path` is the one of the command line, which wins.
    #[must_use]
    pub fn of(conversation: &Conversation, path: Option<&str>) -> Self {
        let path = path.or(conversation.path.as_deref()).unwrap_or("/");
        let mut upgrade = Self::plain(path);
        let subprotocol = conversation.subprotocol.as_ref();
        let protocol = subprotocol.map(|protocol| ("Sec-WebSocket-Protocol", protocol));
        let headers = conversation.headers.iter().map(|(name, value)| (name.as_str(), value));
        for (name, value) in protocol.into_iter().chain(headers) {
            write!(upgrade.lines, "{name}: {value}\r\n").expect("a string takes every byte");
        }
        upgrade.subprotocol = subprotocol.cloned();
        upgrade
    }
}

impl Client {
    /// A WebSocket on `path`, after a checked handshake.
    ///
    /// # Errors
    ///
    /// As [`Client::connect`], or if the answer is not the right 101.
    pub fn upgrade(addr: SocketAddr, path: &str) -> Result<Self> {
        Self::upgrade_by(addr, &Upgrade::plain(path))
    }

    /// A WebSocket, after a checked handshake.
    ///
    /// # Errors
    ///
    /// As [`Client::upgrade`], or if the server does not choose the subprotocol.
    pub fn upgrade_by(addr: SocketAddr, upgrade: &Upgrade) -> Result<Self> {
        let mut client = Self::connect(addr)?;
        let Upgrade { path, lines, .. } = upgrade;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\n{lines}\r\n");
        client.send(request.as_bytes())?;
        let end = loop {
            let end = client.pending().windows(4).position(|bytes| bytes == b"\r\n\r\n");
            match end {
                Some(end) => break end,
                None => client.fill().context("no answer to the upgrade")?,
            }
        };
        check(str::from_utf8(&client.pending()[..end])?, upgrade.subprotocol.as_deref())?;
        client.unread.start += end + 4;
        Ok(client)
    }
}

fn check(head: &str, subprotocol: Option<&str>) -> Result<()> {
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap_or_default();
    ensure!(status.starts_with("HTTP/1.1 101 "), "not upgraded: {status}");
    let header = |wanted: &str| {
        let mut headers = lines.clone().filter_map(|line| line.split_once(':'));
        let found = headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim())
    };
    let accept = header("sec-websocket-accept");
    ensure!(accept == Some(ACCEPT), "upgraded with the wrong Sec-WebSocket-Accept: {accept:?}");
    let chosen = header("sec-websocket-protocol");
    ensure!(
        subprotocol.is_none() || chosen == subprotocol,
        "upgraded with the subprotocol {} instead of {}",
        chosen.unwrap_or("(none)"),
        subprotocol.unwrap_or_default()
    );
    Ok(())
}
