use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use futures::{Sink, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::Tick;
use crate::Context;
use crate::session::{self, Ending, Session};
use crate::snapshot::Snapshot;
use crate::stats::OpenGuard;

/// Snapshots waiting for one subscriber at which it pauses (SwiftNIO's high watermark).
const HIGH_WATERMARK: usize = 10;

/// Snapshots still waiting at which it resumes (SwiftNIO's low watermark).
const LOW_WATERMARK: usize = 2;

/// Longest pause; beyond it the subscriber is closed with 1013.
const PAUSE_WITHIN: Duration = Duration::from_secs(10);

/// Sends every snapshot to one subscriber until the connection ends.
///
/// A subscriber that does not keep up holds at most [`HIGH_WATERMARK`] shared snapshots. It then pauses, and once it
/// has drained to [`LOW_WATERMARK`] it gets the newest one, which says how many it missed. Nobody else waits for it.
pub(crate) struct Subscriber<'a, S> {
    ws: WebSocketStream<S>,
    context: &'a Context,
    heard: Duration,
    /// Made before `last_seq` and after `heard`: who waits for a tick is counted, and its silence is timed.
    _open: OpenGuard<'a>,
    queue: VecDeque<Utf8Bytes>,
    last_seq: u64,
    paused: Option<Pause>,
    /// Snapshots that came since the last queued one and were not queued.
    skipped: u64,
    flushing: bool,
    closed: Option<CloseCode>,
}

struct Pause {
    since: Duration,
    newest: Option<Utf8Bytes>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session for Subscriber<'_, S> {
    fn poll(&mut self, cx: &mut Task<'_>, now: Duration) -> Poll<Ending> {
        if let Poll::Ready(ending) = self.poll_inbound(cx, now) {
            return Poll::Ready(ending);
        }
        match self.poll_outbound(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Ending::Fault(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    }

    fn news(&mut self, tick: Tick, now: Duration) -> Option<Ending> {
        let offered = tick.seq - self.last_seq;
        self.context.stats.snapshots_offered.fetch_add(offered, Relaxed);
        // The channel keeps the newest only: what this task was too busy to see counts as skipped.
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

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Subscriber<'a, S> {
    pub(crate) fn new(ws: WebSocketStream<S>, context: &'a Context) -> Self {
        let heard = context.config.clock.now();
        let open = OpenGuard::new(&context.stats.dashboard_open);
        let newest = context.board.newest();
        let mut queue = VecDeque::with_capacity(HIGH_WATERMARK);
        if newest.seq > 0 {
            context.stats.snapshots_offered.fetch_add(1, Relaxed);
            queue.push_back(newest.json);
        }
        Self {
            ws,
            context,
            heard,
            _open: open,
            queue,
            last_seq: newest.seq,
            paused: None,
            skipped: 0,
            flushing: false,
            closed: None,
        }
    }

    /// By reference: an async function that takes a session by value holds room for it twice.
    pub(crate) async fn run(&mut self) {
        let context = self.context;
        let news = context.board.after(self.last_seq);
        let ending = session::supervise(context, self, news).await;
        session::finish(context, &mut self.ws, ending).await;
    }

    /// What a subscriber says is read and forgotten; what it pings, tungstenite answers.
    fn poll_inbound(&mut self, cx: &mut Task<'_>, now: Duration) -> Poll<Ending> {
        loop {
            match std::task::ready!(Pin::new(&mut self.ws).poll_next(cx)) {
                Some(Ok(message)) => {
                    self.heard = now;
                    if let Message::Close(frame) = message {
                        self.closed = Some(session::code_of(frame.as_ref()));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Ending::Fault(error)),
                None => {
                    return Poll::Ready(match self.closed {
                        Some(code) => Ending::Closed(code),
                        None => Ending::Fault(WsError::ConnectionClosed),
                    });
                }
            }
        }
    }

    fn poll_outbound(&mut self, cx: &mut Task<'_>) -> Poll<Result<(), WsError>> {
        if self.closed.is_some() {
            return Poll::Pending;
        }
        loop {
            if self.flushing {
                std::task::ready!(Pin::new(&mut self.ws).poll_flush(cx))?;
                self.flushing = false;
            }
            while !self.queue.is_empty() {
                std::task::ready!(Pin::new(&mut self.ws).poll_ready(cx))?;
                let Some(json) = self.queue.pop_front() else { break };
                #[cfg(feature = "slowdown")]
                crate::slowdown::waste(self.context.config.slowdown.snapshot);
                Pin::new(&mut self.ws).start_send(Message::Text(json))?;
                self.flushing = true;
                self.context.stats.snapshots_sent.fetch_add(1, Relaxed);
                self.resume();
            }
            if !self.flushing {
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
