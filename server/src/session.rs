//! Shared by both WebSocket routes: when a session must end, and how.

use std::io;
use std::panic::AssertUnwindSafe;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use futures::future::Either;
use futures::stream::Stream;
use futures::{FutureExt as _, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::Context;
use crate::dashboard::Tick;
use crate::http_stream::STALL_WITHIN;
use crate::linger::{CLOSE_WITHIN, linger};
use crate::peer::{Peer, WebSocket};
use crate::stats::ErrorKind;
use crate::wire::Excess;

/// Silence after which a peer is pinged.
const PING_AFTER: Duration = Duration::from_secs(25);

/// Longest silence of a pinged peer.
const PONG_WITHIN: Duration = Duration::from_secs(10);

/// The reason of a close frame with 1011.
const INTERNAL: &str = "internal error";

/// How a session ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The peer sent a close frame, and the answer is flushed.
    Closed(CloseCode),
    /// The peer disappeared or broke a rule.
    Fault(WsError),
    /// The server is shutting down.
    Drained,
    /// The peer did not answer a ping.
    Silent,
    /// A subscriber stayed at its high watermark.
    Slow,
    /// The session panicked.
    Panicked,
    /// The peer took nothing.
    Stalled,
}

/// One WebSocket at work, driven and watched by [`supervise`].
pub(crate) trait Session<'a> {
    /// The stream below the WebSocket.
    type Io;

    /// Reads, works and writes until the peer has to act; `now` is when this began. Ready with the peer's close code
    /// once the connection is closed in order.
    fn poll(&mut self, cx: &mut Task<'_>, now: Duration) -> Poll<Result<CloseCode, WsError>>;

    /// Takes a new snapshot, on the routes that show one.
    fn take_tick(&mut self, _: Tick, _: Duration) -> Option<Ending> {
        None
    }

    fn peer(&mut self) -> &mut Peer<'a, Self::Io>;
}

/// Runs a session until it ends by itself, its peer falls silent or takes nothing, or the server shuts down.
///
/// Traffic does not touch the timer: when it fires, it looks for the next deadline and goes back to sleep. Only a deadline
/// that is earlier than the timer, as of a write that begins to wait, makes a new one.
pub(crate) async fn supervise<'a, T>(
    context: &Context,
    session: &mut T,
    ticks: impl Stream<Item = Tick>,
) -> Ending
where
    T: Session<'a, Io: AsyncRead + AsyncWrite + Unpin>,
{
    let clock = &context.config.clock;
    let mut watch = Watch::Silence;
    let mut registered = false;
    let mut drain = std::pin::pin!(context.shutdown.drain.fired());
    let mut due_at = session.peer().heard + PING_AFTER;
    let mut due = std::pin::pin!(clock.sleep_until(due_at));
    let mut ticks = std::pin::pin!(ticks);
    let serving = std::future::poll_fn(|cx| {
        loop {
            let now = clock.now();
            while let Poll::Ready(Some(tick)) = ticks.as_mut().poll_next(cx) {
                if let Some(ending) = session.take_tick(tick, now) {
                    return Poll::Ready(ending);
                }
            }
            if let Poll::Ready(closed) = session.poll(cx, now) {
                return Poll::Ready(closed.map_or_else(Ending::Fault, Ending::Closed));
            }
            // A peer that began to close has its own deadline, and is owed the answer.
            if context.shutdown.drain.is_fired() && !session.peer().is_closing() {
                let wire = session.peer().ws.get_mut();
                wire.set_reading(false);
                // What was read is answered first: by later turns, or when the peer has taken answers.
                if wire.is_starved() {
                    return Poll::Ready(Ending::Drained);
                }
            }
            if !registered {
                registered = true;
                if drain.as_mut().poll(cx).is_ready() {
                    continue;
                }
            }
            let peer = session.peer();
            let (deadline, ending) = watch.next(peer, now);
            if now >= deadline {
                if let Some(ending) = ending {
                    return Poll::Ready(ending);
                }
                if let Err(error) = peer.ping() {
                    return Poll::Ready(Ending::Fault(error));
                }
                watch = Watch::Pong(now);
                continue;
            }
            if deadline < due_at {
                due_at = deadline;
                due.set(clock.sleep_until(deadline));
            }
            std::task::ready!(due.as_mut().poll(cx));
            due_at = Duration::MAX;
        }
    });
    // After a panic the session is only closed, which its WebSocket survives.
    AssertUnwindSafe(serving).catch_unwind().await.unwrap_or(Ending::Panicked)
}

/// What a session's peer owes.
#[derive(Clone, Copy)]
enum Watch {
    /// A whole message within [`PING_AFTER`] of the last one. Half of a frame is no sign of life: a peer that takes longer
    /// than this and [`PONG_WITHIN`] for one frame is dropped.
    Silence,
    /// A whole message within [`PONG_WITHIN`] of a ping at this time.
    Pong(Duration),
    /// To take the answer to its close frame within [`CLOSE_WITHIN`] of this time.
    Close(Duration),
}

impl Watch {
    /// Takes note of what the peer did. Returns the next deadline, and how the session ends then; with a ping if `None`.
    fn next<S>(&mut self, peer: &Peer<'_, S>, now: Duration) -> (Duration, Option<Ending>)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        match *self {
            Self::Close(since) => return (since + CLOSE_WITHIN, Some(Ending::Silent)),
            _ if peer.is_closing() => {
                *self = Self::Close(now);
                return (now + CLOSE_WITHIN, Some(Ending::Silent));
            }
            Self::Pong(pinged) if peer.heard >= pinged => *self = Self::Silence,
            Self::Pong(_) | Self::Silence => {}
        }
        let (at, ending) = match *self {
            Self::Pong(pinged) => (pinged + PONG_WITHIN, Some(Ending::Silent)),
            _ => (peer.heard + PING_AFTER, None),
        };
        match peer.ws.get_ref().stalled().map(|since| since + STALL_WITHIN) {
            Some(stall) if stall <= at => (stall, Some(Ending::Stalled)),
            _ => (at, ending),
        }
    }
}

/// How a session was finished.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Finish {
    /// Whether the kernel took everything that was fed.
    pub(crate) flushed: bool,
    /// Whether the peer was dropped, because its time was over.
    pub(crate) dropped: bool,
}

/// Counts how a session ended and sends the peer a close frame, waiting for the peer no longer than [`CLOSE_WITHIN`].
pub(crate) async fn finish<S>(
    context: &Context,
    ws: &mut WebSocket<'_, S>,
    ending: Ending,
) -> Finish
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let stats = &context.stats;
    let (code, reason) = match ending {
        Ending::Closed(code) => {
            stats.closed(code);
            return Finish { flushed: true, dropped: false };
        }
        Ending::Silent => {
            stats.error(ErrorKind::Silent);
            return Finish { flushed: false, dropped: true };
        }
        Ending::Stalled => {
            stats.error(ErrorKind::Stalled);
            return Finish { flushed: false, dropped: true };
        }
        Ending::Drained => (CloseCode::Away, "server is shutting down"),
        Ending::Slow => {
            stats.error(ErrorKind::Slow);
            (CloseCode::Again, "too slow")
        }
        Ending::Panicked => {
            context.panicked("a session");
            (CloseCode::Error, INTERNAL)
        }
        Ending::Fault(error) => {
            let (kind, answer) = classify(&error);
            tracing::debug!(%error, kind = kind.name(), "session failed");
            stats.error(kind);
            match answer {
                Some(answer) => answer,
                None => return Finish { flushed: false, dropped: kind == ErrorKind::Stalled },
            }
        }
    };
    stats.closed(code);
    let mut flushed = false;
    let closing = async {
        ws.get_mut().set_reading(true);
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
            linger(ws.get_mut().socket()).await;
        }
    };
    let timeout = std::pin::pin!(context.config.clock.sleep(CLOSE_WITHIN));
    let closed =
        matches!(futures::future::select(std::pin::pin!(closing), timeout).await, Either::Left(_));
    Finish { flushed, dropped: !closed }
}

/// The kind that the end of a connection without a close frame is counted as. The kernel gives up after
/// [`UNREAD_WITHIN`](crate::socket::UNREAD_WITHIN).
pub(crate) fn lost(error: &io::Error) -> ErrorKind {
    if error.kind() == io::ErrorKind::TimedOut { ErrorKind::Stalled } else { ErrorKind::Reset }
}

/// The kind that an error is counted as, and the close frame for it (RFC 6455 §7.4.1); none if the peer is gone.
fn classify(error: &WsError) -> (ErrorKind, Option<(CloseCode, &'static str)>) {
    if let WsError::Io(error) = error
        && let Some(excess) = error.get_ref().and_then(|error| error.downcast_ref::<Excess>())
    {
        return (ErrorKind::Policy, Some((CloseCode::Policy, excess.reason())));
    }
    match error {
        WsError::Io(error) => (lost(error), None),
        WsError::Protocol(ProtocolError::ResetWithoutClosingHandshake) => (ErrorKind::Reset, None),
        WsError::ConnectionClosed | WsError::AlreadyClosed => (ErrorKind::Reset, None),
        WsError::Protocol(_) => {
            (ErrorKind::Protocol, Some((CloseCode::Protocol, "protocol error")))
        }
        WsError::Utf8(_) => (ErrorKind::Utf8, Some((CloseCode::Invalid, "text is not UTF-8"))),
        WsError::Capacity(_) => (ErrorKind::TooBig, Some((CloseCode::Size, "message too big"))),
        _ => (ErrorKind::Internal, Some((CloseCode::Error, INTERNAL))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_the_kernel_gives_up_is_stalled_and_another_one_has_reset() {
        for (kind, counted) in [
            (io::ErrorKind::TimedOut, ErrorKind::Stalled),
            (io::ErrorKind::ConnectionReset, ErrorKind::Reset),
            (io::ErrorKind::BrokenPipe, ErrorKind::Reset),
        ] {
            assert_eq!(classify(&WsError::Io(kind.into())), (counted, None));
        }
    }
}
