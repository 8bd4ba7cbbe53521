use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};
use std::time::Duration;

use futures::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use crate::Context;
use crate::peer::{Peer, WebSocket};
use crate::session::{self, Finish, Session};
use crate::stats::OpenGuard;

/// Time after which a batch is flushed at the end of a turn, though there may be more to read.
const BATCH_WITHIN: Duration = Duration::from_millis(1);

/// Sends every message back until the connection ends.
///
/// Every message that is already buffered is answered before one flush: a pipelining client costs one write per batch.
/// Nothing more is read while that flush waits for the peer, so a peer that does not read cannot make the server hold
/// more than one batch.
pub(crate) struct Echo<'a, S> {
    peer: Peer<'a, S>,
    context: &'a Context,
    /// Made after `peer`: a session that counts as open is already being timed.
    _open: OpenGuard<'a>,
    batch: Batch,
}

/// Messages that were fed and are not flushed yet.
#[derive(Default)]
struct Batch {
    messages: u64,
    bytes: u64,
    /// When the first one was read.
    since: Duration,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Session<'a> for Echo<'a, S> {
    type Io = S;

    fn poll(&mut self, cx: &mut Task<'_>, now: Duration) -> Poll<Result<CloseCode, WsError>> {
        let mut asked = false;
        loop {
            if self.peer.flushing {
                ready!(Pin::new(&mut self.peer.ws).poll_flush(cx))?;
                self.peer.flushing = false;
                self.batch_sent();
                // There was nothing to read just now, and what comes next wakes the task. Asking again would clear
                // tungstenite's whole read buffer. Behind a close frame the flush was the last act: ask for the end.
                if asked && !self.peer.is_closing() {
                    return Poll::Pending;
                }
            }
            ready!(Pin::new(&mut self.peer.ws).poll_ready(cx))?;
            match Pin::new(&mut self.peer.ws).poll_next(cx) {
                Poll::Ready(Some(Ok(message))) => self.take(message, now)?,
                Poll::Ready(Some(Err(error))) => {
                    self.take_batch();
                    return Poll::Ready(Err(error));
                }
                Poll::Ready(None) => {
                    // tungstenite has flushed the batch together with its answer to the close frame.
                    self.batch_sent();
                    return Poll::Ready(self.peer.close_code());
                }
                Poll::Pending if self.batch.messages > 0 && !self.is_held_over(now) => {
                    self.peer.flushing = true;
                    asked = true;
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn peer(&mut self) -> &mut Peer<'a, S> {
        &mut self.peer
    }
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Echo<'a, S> {
    pub(crate) fn new(ws: WebSocket<'a, S>, context: &'a Context) -> Self {
        Self {
            peer: Peer::new(ws, context.config.clock.now()),
            context,
            _open: OpenGuard::new(&context.stats.echo_open),
            batch: Batch::default(),
        }
    }

    /// By reference: an async function that takes a session by value reserves room for it twice.
    pub(crate) async fn run(&mut self) -> Finish {
        let context = self.context;
        let ending = session::supervise(context, self, futures::stream::pending()).await;
        // A drain may interrupt a session between feeding a batch and flushing it.
        let finish = session::finish(context, &mut self.peer.ws, ending).await;
        if finish.flushed {
            self.batch_sent();
        } else {
            self.take_batch();
        }
        finish
    }

    /// Whether the batch goes on in the next turn, in which there may be more to read.
    fn is_held_over(&self, now: Duration) -> bool {
        self.peer.ws.get_ref().has_yielded() && now.saturating_sub(self.batch.since) < BATCH_WITHIN
    }

    /// Feeds the answer to one message. tungstenite answers pings and close frames.
    fn take(&mut self, message: Message, now: Duration) -> Result<(), WsError> {
        self.peer.hear(&message, now);
        match &message {
            Message::Text(_) | Message::Binary(_) => {
                if self.batch.messages == 0 {
                    self.batch.since = now;
                }
                self.batch.messages += 1;
                self.batch.bytes += message.len() as u64;
                Pin::new(&mut self.peer.ws).start_send(message)
            }
            _ => Ok(()),
        }
    }

    /// Counts the batch as received and as sent, and empties it.
    fn batch_sent(&mut self) {
        let batch = self.take_batch();
        if batch.messages > 0 {
            let took = self.context.config.clock.now().saturating_sub(batch.since);
            self.context.stats.sent(batch.messages, batch.bytes, took);
        }
    }

    /// Empties the batch, and counts its messages as received.
    fn take_batch(&mut self) -> Batch {
        let batch = std::mem::take(&mut self.batch);
        if batch.messages > 0 {
            self.context.stats.received(batch.messages, batch.bytes);
        }
        batch
    }
}
