//! What both WebSocket routes share: how a session ends, and how it notices that it should.

use std::pin::Pin;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::Stream;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use crate::Context;
use crate::dashboard::Tick;
use crate::stats::ErrorKind;

/// Silence after which a peer is pinged.
const PING_AFTER: Duration = Duration::from_secs(25);

/// Time a pinged peer has to say anything at all.
const PONG_WITHIN: Duration = Duration::from_secs(10);

/// Time a peer has to answer a close frame, and to read what was sent before it.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// Bytes still read from a peer that was sent a close frame for an error. Closing a socket with unread bytes makes the
/// kernel reset it, and the close frame would be lost.
const LINGER_BYTES: usize = 256 * 1024;

/// How a session came to its end.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The peer sent a close frame, and its answer is flushed.
    Closed(CloseCode),
    /// The peer is gone, or broke a rule.
    Fault(WsError),
    /// The server is shutting down.
    Drained,
    /// A ping stayed unanswered.
    Silent,
    /// A subscriber stayed at its high watermark.
    Slow,
}

/// One WebSocket at work: what [`supervise`] drives and watches.
pub(crate) trait Session {
    type Io: AsyncRead + AsyncWrite + Unpin;

    /// Reads, works and writes until nothing more can be done; `now` is when this began.
    fn poll(&mut self, cx: &mut Task<'_>, now: Duration) -> Poll<Ending>;

    /// A new snapshot is there.
    fn news(&mut self, tick: Tick, now: Duration) -> Option<Ending>;

    /// When the peer was last heard.
    fn heard(&self) -> Duration;

    /// Queues a ping; the next [`Session::poll`] flushes it.
    fn ping(&mut self) -> Result<(), WsError>;
}

/// Runs a session until it ends by itself, its peer falls silent, or the server shuts down.
///
/// The timer is not touched by traffic: when it fires, it looks when the peer was last heard and goes back to sleep.
pub(crate) async fn supervise<T: Session>(
    context: &Context,
    session: &mut T,
    news: impl Stream<Item = Tick>,
) -> Ending {
    let clock = &context.config.clock;
    let mut deadline = session.heard() + PING_AFTER;
    let mut pinged = None;
    let mut registered = false;
    let mut drain = std::pin::pin!(context.shutdown.drain.fired());
    let mut due = std::pin::pin!(clock.sleep_until(deadline));
    let mut news = std::pin::pin!(news);
    std::future::poll_fn(|cx| {
        loop {
            let now = clock.now();
            while let Poll::Ready(Some(tick)) = news.as_mut().poll_next(cx) {
                if let Some(ending) = session.news(tick, now) {
                    return Poll::Ready(ending);
                }
            }
            if let Poll::Ready(ending) = session.poll(cx, now) {
                return Poll::Ready(ending);
            }
            if context.shutdown.drain.is_fired() {
                return Poll::Ready(Ending::Drained);
            }
            if !registered {
                registered = true;
                if drain.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Ending::Drained);
                }
            } else if now < deadline {
                return Poll::Pending;
            }
            if now >= deadline {
                match pinged {
                    Some(at) if session.heard() < at => return Poll::Ready(Ending::Silent),
                    None if now - session.heard() >= PING_AFTER => {
                        if let Err(error) = session.ping() {
                            return Poll::Ready(Ending::Fault(error));
                        }
                        pinged = Some(now);
                        deadline = now + PONG_WITHIN;
                    }
                    _ => {
                        pinged = None;
                        deadline = session.heard() + PING_AFTER;
                    }
                }
                due.set(clock.sleep_until(deadline));
            }
            if due.as_mut().poll(cx).is_pending() && pinged != Some(now) {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// Counts how a session ended and tells the peer, waiting for it no longer than [`CLOSE_WITHIN`].
pub(crate) async fn finish<S>(context: &Context, ws: &mut WebSocketStream<S>, ending: Ending)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let stats = &context.stats;
    let (code, reason) = match ending {
        Ending::Closed(code) => return stats.closed(code),
        Ending::Silent => return stats.error(ErrorKind::Silent),
        Ending::Drained => (CloseCode::Away, "server is shutting down"),
        Ending::Slow => {
            stats.error(ErrorKind::Slow);
            (CloseCode::Again, "too slow")
        }
        Ending::Fault(error) => {
            let (kind, answer) = classify(&error);
            tracing::debug!(%error, kind = kind.name(), "session failed");
            stats.error(kind);
            match answer {
                Some(answer) => answer,
                None => return,
            }
        }
    };
    stats.closed(code);
    let goodbye = async {
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        if ws.close(Some(frame)).await.is_err() {
            return;
        }
        let mut answered = false;
        while let Some(Ok(message)) = ws.next().await {
            answered |= message.is_close();
        }
        if !answered {
            linger(ws.get_mut()).await;
        }
    };
    futures::future::select(
        std::pin::pin!(goodbye),
        std::pin::pin!(context.config.clock.sleep(CLOSE_WITHIN)),
    )
    .await;
}

/// What an error is counted as, and what the peer is told (RFC 6455 §7.4.1); nothing, where nobody listens any more.
fn classify(error: &WsError) -> (ErrorKind, Option<(CloseCode, &'static str)>) {
    match error {
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) | WsError::Io(_) => {
            (ErrorKind::Reset, None)
        }
        WsError::ConnectionClosed | WsError::AlreadyClosed => (ErrorKind::Reset, None),
        WsError::Protocol(_) => {
            (ErrorKind::Protocol, Some((CloseCode::Protocol, "protocol error")))
        }
        WsError::Utf8(_) => (ErrorKind::Utf8, Some((CloseCode::Invalid, "text is not UTF-8"))),
        WsError::Capacity(_) => (ErrorKind::TooBig, Some((CloseCode::Size, "message too big"))),
        _ => (ErrorKind::Internal, Some((CloseCode::Error, "internal error"))),
    }
}

/// Ends the sending side, then reads and discards until the peer has ended its own.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(io: &mut S) {
    if io.shutdown().await.is_err() {
        return;
    }
    let mut budget = LINGER_BYTES;
    std::future::poll_fn(|cx| {
        // On the stack of the poll, not in the connection's future.
        let mut bytes = [0; 2048];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = match Pin::new(&mut *io).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) => buffer.filled().len(),
                Poll::Ready(Err(_)) => 0,
                Poll::Pending => return Poll::Pending,
            };
            if read == 0 || read >= budget {
                return Poll::Ready(());
            }
            budget -= read;
        }
    })
    .await;
}

/// The code a peer closed with; 1005 if it gave none.
pub(crate) fn code_of(close: Option<&CloseFrame>) -> CloseCode {
    close.map_or(CloseCode::Status, |frame| frame.code)
}

/// An empty ping.
pub(crate) fn ping() -> Message {
    Message::Ping(bytes::Bytes::new())
}
