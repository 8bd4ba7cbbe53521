use std::pin::Pin;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use futures::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use crate::Context;
use crate::dashboard::Tick;
use crate::session::{self, Ending, Session};
use crate::stats::OpenGuard;

/// Sends every message back until the connection ends.
///
/// Whatever is already buffered is answered before one flush: a pipelining client costs a write per batch. While that
/// flush waits for the peer nothing more is read, so a peer that does not read cannot make the server hold more than
/// one batch.
pub(crate) struct Echo<'a, S> {
    ws: WebSocketStream<S>,
    context: &'a Context,
    heard: Duration,
    /// Made after `heard`: once a session counts as open, its silence is being timed.
    _open: OpenGuard<'a>,
    batch: Batch,
    flushing: bool,
    /// The code of the peer's close frame, once it came.
    closed: Option<CloseCode>,
}

/// Messages fed and not flushed yet.
#[derive(Default)]
struct Batch {
    messages: u64,
    bytes: u64,
    since: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session for Echo<'_, S> {
    fn poll(&mut self, cx: &mut Task<'_>, now: Duration) -> Poll<Ending> {
        match self.poll_messages(cx, now) {
            Poll::Ready(Ok(code)) => Poll::Ready(Ending::Closed(code)),
            Poll::Ready(Err(error)) => Poll::Ready(Ending::Fault(error)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn news(&mut self, _: Tick, _: Duration) -> Option<Ending> {
        None
    }

    fn heard(&self) -> Duration {
        self.heard
    }

    fn is_closing(&self) -> bool {
        self.closed.is_some()
    }

    fn ping(&mut self) -> Result<(), WsError> {
        self.flushing = true;
        Pin::new(&mut self.ws).start_send(session::ping())
    }
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Echo<'a, S> {
    pub(crate) fn new(ws: WebSocketStream<S>, context: &'a Context) -> Self {
        Self {
            ws,
            context,
            heard: context.config.clock.now(),
            _open: OpenGuard::new(&context.stats.echo_open),
            batch: Batch::default(),
            flushing: false,
            closed: None,
        }
    }

    /// By reference: an async function that takes a session by value holds room for it twice.
    pub(crate) async fn run(&mut self) {
        let context = self.context;
        let ending = session::supervise(context, self, futures::stream::pending()).await;
        // A drain can come upon a batch that was fed and not flushed.
        if session::finish(context, &mut self.ws, ending).await {
            self.sent();
        } else {
            self.received();
        }
    }

    fn poll_messages(
        &mut self,
        cx: &mut Task<'_>,
        now: Duration,
    ) -> Poll<Result<CloseCode, WsError>> {
        loop {
            if self.flushing {
                std::task::ready!(self.poll_flush(cx))?;
            }
            std::task::ready!(Pin::new(&mut self.ws).poll_ready(cx))?;
            match Pin::new(&mut self.ws).poll_next(cx) {
                Poll::Ready(Some(Ok(message))) => {
                    self.heard = now;
                    self.take(message, now)?;
                }
                Poll::Ready(Some(Err(error))) => {
                    self.received();
                    return Poll::Ready(Err(error));
                }
                Poll::Ready(None) => {
                    // tungstenite has flushed everything together with its answer to the close frame.
                    self.sent();
                    return Poll::Ready(self.closed.ok_or(WsError::ConnectionClosed));
                }
                Poll::Pending if self.batch.messages > 0 => {
                    #[cfg(feature = "slowdown")]
                    crate::slowdown::waste(self.context.config.slowdown.batch);
                    self.flushing = true;
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Feeds the answer to one message. Pings are answered by tungstenite.
    fn take(&mut self, message: Message, now: Duration) -> Result<(), WsError> {
        match &message {
            Message::Text(_) | Message::Binary(_) => {
                if self.batch.messages == 0 {
                    self.batch.since = now;
                }
                self.batch.messages += 1;
                self.batch.bytes += message.len() as u64;
                Pin::new(&mut self.ws).start_send(message)
            }
            Message::Close(frame) => {
                self.closed = Some(session::code_of(frame.as_ref()));
                Ok(())
            }
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
        }
    }

    fn poll_flush(&mut self, cx: &mut Task<'_>) -> Poll<Result<(), WsError>> {
        std::task::ready!(Pin::new(&mut self.ws).poll_flush(cx))?;
        self.flushing = false;
        self.sent();
        Poll::Ready(Ok(()))
    }

    /// Counts the batch as received and sent, and empties it.
    fn sent(&mut self) {
        let (messages, bytes) = self.received();
        if messages > 0 {
            let took = self.context.config.clock.now().saturating_sub(self.batch.since);
            self.context.stats.sent(messages, bytes, took);
        }
    }

    /// Counts the batch as received and empties it.
    fn received(&mut self) -> (u64, u64) {
        let Batch { messages, bytes, .. } = self.batch;
        if messages > 0 {
            self.context.stats.received(messages, bytes);
        }
        (self.batch.messages, self.batch.bytes) = (0, 0);
        (messages, bytes)
    }
}
