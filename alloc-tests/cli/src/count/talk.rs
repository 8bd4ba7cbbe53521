//! What the client does to the program.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use bench_kit::client::Client;
use bench_kit::conversation::{Opener, Talk};
use conversation::Conversation;
use conversation::script::Script;

/// A client of the program at one address.
pub(super) struct Visitor<'a> {
    conversation: &'a Conversation,
    path: &'a str,
    opener: Opener,
    addr: SocketAddr,
}

impl<'a> Visitor<'a> {
    pub(super) fn new(conversation: &'a Conversation, path: &'a str, addr: SocketAddr) -> Self {
        Self { conversation, path, opener: Opener::new(conversation, Some(path)), addr }
    }

    /// The connections of the conversation, with `operations` on them, opened and closed.
    pub(super) fn exchange(&mut self, operations: u64) -> Result<()> {
        let mut talk = Talk::open(self.conversation, &mut self.opener, self.addr)
            .with_context(|| no_websocket(self.path))?;
        (0..operations).try_for_each(|_| talk.operation()).context(
            "the conversation does not match; say what this server answers with --conversation FILE",
        )?;
        talk.close()
    }

    /// So many connections opened and closed, one after the other.
    pub(super) fn connect(&mut self, connections: u64) -> Result<()> {
        (0..connections).try_for_each(|_| {
            let client = self.open()?;
            client.leave().context("a connection was not closed as WebSocket demands")
        })
    }

    /// An open connection.
    pub(super) fn open(&mut self) -> Result<Client> {
        self.opener.open(self.addr).with_context(|| no_websocket(self.path))
    }
}

/// Bytes that the clients send in one operation.
pub(super) fn bytes_sent(conversation: &Conversation) -> u64 {
    let lines = Script::new(conversation).exchanges;
    let frames = lines.iter().filter_map(|line| line.send.as_ref());
    frames.map(|frame| frame.bytes().len() as u64).sum()
}

fn no_websocket(path: &str) -> String {
    format!(
        "no WebSocket on {path}; say its path with --path, and what a client says first with --conversation FILE"
    )
}
