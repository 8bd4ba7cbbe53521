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
    /// Reads, works and writes until nothing more can be done; `now` is when this began.
    fn poll(&mut self, cx: &mut Task<'_>, now: Duration) -> Poll<Ending>;

    /// A new snapshot is there.
    fn news(&mut self, tick: Tick, now: Duration) -> Option<Ending>;

    /// When the peer was last heard.
    fn heard(&self) -> Duration;

    /// Whether the peer's close frame came and its answer is on the way.
    fn is_closing(&self) -> bool;

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
    let mut watch = Watch::Silence;
    let mut registered = false;
    let mut drain = std::pin::pin!(context.shutdown.drain.fired());
    let mut due = std::pin::pin!(clock.sleep_until(session.heard() + PING_AFTER));
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
            }
            if session.is_closing() && !matches!(watch, Watch::Close) {
                watch = Watch::Close;
                due.set(clock.sleep_until(now + CLOSE_WITHIN));
            }
            std::task::ready!(due.as_mut().poll(cx));
            let next = match watch {
                Watch::Close => return Poll::Ready(Ending::Silent),
                Watch::Pong(pinged) if session.heard() < pinged => {
                    return Poll::Ready(Ending::Silent);
                }
                Watch::Silence if now.saturating_sub(session.heard()) >= PING_AFTER => {
                    if let Err(error) = session.ping() {
                        return Poll::Ready(Ending::Fault(error));
                    }
                    watch = Watch::Pong(now);
                    now + PONG_WITHIN
                }
                Watch::Silence | Watch::Pong(_) => {
                    watch = Watch::Silence;
                    session.heard() + PING_AFTER
                }
            };
            due.set(clock.sleep_until(next));
        }
    })
    .await
}

/// What a session's timer is set to.
enum Watch {
    /// The peer has said nothing for [`PING_AFTER`].
    Silence,
    /// The peer was pinged at this time and has said nothing for [`PONG_WITHIN`].
    Pong(Duration),
    /// The peer began to close and has not taken the answer for [`CLOSE_WITHIN`].
    Close,
}

/// Counts how a session ended and tells the peer, waiting for it no longer than [`CLOSE_WITHIN`]. Returns whether
/// everything that was fed to it is with the kernel.
pub(crate) async fn finish<S>(
    context: &Context,
    ws: &mut WebSocketStream<S>,
    ending: Ending,
) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let stats = &context.stats;
    let (code, reason) = match ending {
        Ending::Closed(code) => {
            stats.closed(code);
            return true;
        }
        Ending::Silent => {
            stats.error(ErrorKind::Silent);
            return false;
        }
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
                None => return false,
            }
        }
    };
    stats.closed(code);
    let mut flushed = false;
    let goodbye = async {
        let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
        if ws.close(Some(frame)).await.is_err() {
            return;
        }
        flushed = true;
        let mut answered = false;
        while let Some(Ok(message)) = ws.next().await {
            answered |= message.is_close();
        }
        if !answered {
            linger(ws.get_mut()).await;
        }
    };
    let patience = std::pin::pin!(context.config.clock.sleep(CLOSE_WITHIN));
    futures::future::select(std::pin::pin!(goodbye), patience).await;
    flushed
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
