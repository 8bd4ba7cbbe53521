use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context as Task, Poll, ready};
use std::time::Duration;

use futures::{Sink, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::Tick;
use crate::Context;
use crate::peer::{Peer, WebSocket};
use crate::session::{self, Ending, Finish, Session};
use crate::snapshot::Snapshot;
use crate::stats::OpenGuard;

/// Queued snapshots at which a subscriber pauses (SwiftNIO's high watermark).
const HIGH_WATERMARK: usize = 10;

/// Queued snapshots at which a paused subscriber resumes (SwiftNIO's low watermark).
const LOW_WATERMARK: usize = 2;

/// Longest pause; a longer one is closed with 1013.
const PAUSE_WITHIN: Duration = Duration::from_secs(10);

/// Sends every snapshot to one subscriber until the connection ends.
///
/// A subscriber that does not keep up holds at most [`HIGH_WATERMARK`] shared snapshots. It then pauses. At
/// [`LOW_WATERMARK`] it resumes with the newest snapshot, which says how many it missed. No other subscriber waits for
/// it.
pub(crate) struct Subscriber<'a, S> {
    peer: Peer<'a, S>,
    context: &'a Context,
    /// Made after `peer` and before `last_seq`: a subscriber that counts as open is being timed, and misses no tick.
    _open: OpenGuard<'a>,
    queue: VecDeque<Utf8Bytes>,
    last_seq: u64,
    paused: Option<Pause>,
    /// Snapshots that were not queued since the last queued one.
    skipped: u64,
}

struct Pause {
    since: Duration,
    newest: Option<Utf8Bytes>,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Session<'a> for Subscriber<'a, S> {
    type Io = S;

    fn poll(&mut self, cx: &mut Task<'_>, now: Duration) -> Poll<Result<CloseCode, WsError>> {
        if let Poll::Ready(closed) = self.poll_inbound(cx, now) {
            return Poll::Ready(closed);
        }
        match self.poll_outbound(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    }

    fn take_tick(&mut self, tick: Tick, now: Duration) -> Option<Ending> {
        let offered = tick.seq - self.last_seq;
        self.context.stats.snapshots_offered.fetch_add(offered, Relaxed);
        // The board keeps only the newest snapshot: ticks that passed while this task was busy count as skipped.
        self.skip(offered - 1);
        self.last_seq = tick.seq;
        if let Some(pause) = &mut self.paused {
            let late = now - pause.since > PAUSE_WITHIN;
            if pause.newest.replace(tick.json).is_some() {
                self.skip(1);
            }
            return late.then_some(Ending::Slow);
        }
        self.enqueue(tick.json);
        if self.queue.len() >= HIGH_WATERMARK {
            self.paused = Some(Pause { since: now, newest: None });
            self.context.stats.backpressure_events.fetch_add(1, Relaxed);
        }
        None
    }

    fn peer(&mut self) -> &mut Peer<'a, S> {
        &mut self.peer
    }
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Subscriber<'a, S> {
    pub(crate) fn new(ws: WebSocket<'a, S>, context: &'a Context) -> Self {
        let peer = Peer::new(ws, context.config.clock.now());
        let open = OpenGuard::new(&context.stats.dashboard_open);
        let newest = context.board.newest();
        let mut queue = VecDeque::with_capacity(HIGH_WATERMARK);
        if newest.seq > 0 {
            context.stats.snapshots_offered.fetch_add(1, Relaxed);
            queue.push_back(newest.json);
        }
        Self { peer, context, _open: open, queue, last_seq: newest.seq, paused: None, skipped: 0 }
    }

    /// By reference: an async function that takes a session by value reserves room for it twice.
    pub(crate) async fn run(&mut self) -> Finish {
        let context = self.context;
        let ticks = context.board.after(self.last_seq);
        let ending = session::supervise(context, self, ticks).await;
        session::finish(context, &mut self.peer.ws, ending).await
    }

    /// Reads and discards a subscriber's messages. tungstenite answers pings and close frames.
    fn poll_inbound(
        &mut self,
        cx: &mut Task<'_>,
        now: Duration,
    ) -> Poll<Result<CloseCode, WsError>> {
        loop {
            if self.peer.is_closing() {
                ready!(Pin::new(&mut self.peer.ws).poll_flush(cx))?;
            }
            let Some(message) = ready!(Pin::new(&mut self.peer.ws).poll_next(cx)) else {
                return Poll::Ready(self.peer.close_code());
            };
            self.peer.hear(&message?, now);
        }
    }

    fn poll_outbound(&mut self, cx: &mut Task<'_>) -> Poll<Result<(), WsError>> {
        if self.peer.is_closing() {
            return Poll::Pending;
        }
        loop {
            if self.peer.flushing {
                ready!(Pin::new(&mut self.peer.ws).poll_flush(cx))?;
                self.peer.flushing = false;
            }
            while !self.queue.is_empty() {
                ready!(Pin::new(&mut self.peer.ws).poll_ready(cx))?;
                let Some(json) = self.queue.pop_front() else { break };
                Pin::new(&mut self.peer.ws).start_send(Message::Text(json))?;
                self.peer.flushing = true;
                self.context.stats.snapshots_sent.fetch_add(1, Relaxed);
                self.resume();
            }
            if !self.peer.flushing {
                return Poll::Pending;
            }
        }
    }

    fn resume(&mut self) {
        if self.queue.len() > LOW_WATERMARK {
            return;
        }
        if let Some(Pause { newest: Some(json), .. }) = self.paused.take() {
            self.enqueue(json);
        }
    }

    fn enqueue(&mut self, json: Utf8Bytes) {
        let json = if self.skipped == 0 {
            json
        } else {
            Snapshot::with_skipped(&json, self.skipped).into()
        };
        self.skipped = 0;
        self.queue.push_back(json);
    }

    fn skip(&mut self, snapshots: u64) {
        self.skipped += snapshots;
        self.context.stats.snapshots_skipped.fetch_add(snapshots, Relaxed);
    }
}
