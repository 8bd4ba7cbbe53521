use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures::Sink;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use crate::wire::Wire;

/// A WebSocket on a bounded stream.
pub(crate) type WebSocket<'a, S> = WebSocketStream<Wire<'a, S>>;

/// The WebSocket of one peer, and what its session has to remember.
pub(crate) struct Peer<'a, S> {
    pub(crate) ws: WebSocket<'a, S>,
    /// Whether something was fed and must be flushed.
    pub(crate) flushing: bool,
    /// When the peer was last heard.
    pub(crate) heard: Duration,
    closed: Option<CloseCode>,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Peer<'a, S> {
    /// A peer that was last heard at `now`.
    pub(crate) fn new(ws: WebSocket<'a, S>, now: Duration) -> Self {
        Self { ws, flushing: false, heard: now, closed: None }
    }

    /// Takes note of a message that was read at `now`.
    pub(crate) fn hear(&mut self, message: &Message, now: Duration) {
        self.heard = now;
        if let Message::Close(frame) = message {
            self.closed = Some(frame.as_ref().map_or(CloseCode::Status, |frame| frame.code));
            // Nothing behind a close frame is read before its answer is flushed: tungstenite would refuse it.
            self.flushing = true;
        }
    }

    /// Whether the peer's close frame came; tungstenite then answers it.
    pub(crate) fn is_closing(&self) -> bool {
        self.closed.is_some()
    }

    /// The code of the peer's close frame, 1005 if the frame had none; an error if there was no close frame.
    pub(crate) fn close_code(&self) -> Result<CloseCode, WsError> {
        self.closed.ok_or(WsError::ConnectionClosed)
    }

    /// Feeds an empty ping.
    pub(crate) fn ping(&mut self) -> Result<(), WsError> {
        self.flushing = true;
        Pin::new(&mut self.ws).start_send(Message::Ping(Bytes::new()))
    }
}
