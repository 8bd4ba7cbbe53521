//! Peers in memory that send the same for ever.

use std::io::{self, Cursor};
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use anyhow::ensure;
use server::stats::ErrorKind;
use server::{Config, Context};
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};
use tokio::runtime;

use crate::window::ServerWindow;

const UPGRADE: &[u8] =
    b"GET /ws/echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

impl ServerWindow<'_> {
    /// Serves peers in memory, one for each operation, that upgrade, send `first`, and then `again` and again. The server
    /// must end each of them with an error of `kind`.
    pub fn serve_floods(
        &self,
        first: &'static [u8],
        again: &'static [u8],
        kind: ErrorKind,
    ) -> anyhow::Result<()> {
        let runtime = runtime::Builder::new_current_thread().build()?;
        let max_idle_frames = Config::default().max_idle_frames;
        let context = Context::new(Config { max_idle_frames, ..self.config() })?;
        for _ in 0..self.ops() {
            let sent = Cursor::new(UPGRADE).chain(first).chain(Endless { again, sent: 0 });
            let peer = tokio::io::join(sent, tokio::io::sink());
            self.run(&runtime, server::serve_connection(plimsoll::count(peer), &context));
        }
        let errors = context.stats().counters().errors;
        ensure!(errors[kind as usize] == self.ops(), "not refused: {errors:?}");
        Ok(())
    }
}

/// Fills every buffer.
struct Endless {
    again: &'static [u8],
    sent: usize,
}

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Task<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while buffer.remaining() > 0 {
            let next = &self.again[self.sent % self.again.len()..];
            let next = &next[..next.len().min(buffer.remaining())];
            buffer.put_slice(next);
            self.sent += next.len();
        }
        Poll::Ready(Ok(()))
    }
}
