//! One open connection: sends what is due, checks what comes, until it is told to leave.

mod receive;
mod send;

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Sink;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Utf8Bytes};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::endpoint::WiredSocket;
use super::exchange::Exchange;
use super::ledger::Ledger;
use super::problem::{Problem, of_session};
use super::schedule::Arrivals;
use super::seat::Seat;
use super::worker::Worker;
use load_plan::outcome::Ending;
use load_plan::profile::Pace;

/// Messages read or sent in one turn before another connection has its own.
const TURN: usize = 64;

/// Longest closing handshake, in nanoseconds.
const CLOSE_NS: u64 = 2_000_000_000;

/// How often a connection that is blocked counts what is due, in nanoseconds.
const BLOCKED_NS: u64 = 100_000_000;

/// Payload of our pings: one is on its way at a time, so they need no numbers.
const PING: Bytes = Bytes::from_static(b"plimsoll");

/// A connection that is open.
pub(super) struct Session<'a> {
    worker: &'a Worker,
    seat: &'a Seat,
    socket: WiredSocket,
    /// Tells this connection's messages from those of any other.
    id: u16,
    ledger: Ledger,
    arrivals: Option<Arrivals>,
    /// The same, up to what has been counted as due.
    offered: Option<Arrivals>,
    pace: Pace,
    stage: usize,
    state: State,
    /// The socket takes nothing more, since a message was due.
    is_blocked: bool,
    unblocked_ns: u64,
    has_unflushed: bool,
    last_sent_ns: u64,
    ping_sent_ns: Option<u64>,
    leave_ns: u64,
    update: Option<(u64, Option<u64>)>,
    peer_closed: Option<(u16, Utf8Bytes)>,
    registered_ns: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Sends.
    Open,
    /// Sends nothing more and awaits answers.
    Settling { until_ns: u64 },
    /// Has sent its close frame.
    Closing { until_ns: u64 },
}

impl<'a> Session<'a> {
    pub(super) fn new(worker: &'a Worker, seat: &'a Seat, socket: WiredSocket, id: u16) -> Self {
        let now_ns = worker.clock.now_ns();
        let traffic = &worker.profile.traffic;
        let lifetime = worker.profile.conduct.lifetime;
        let mut session = Self {
            worker,
            seat,
            socket,
            id,
            ledger: Ledger::new(traffic.timeout.as_nanos() as u64),
            arrivals: None,
            offered: None,
            pace: Pace::Idle,
            stage: usize::MAX,
            state: State::Open,
            is_blocked: false,
            unblocked_ns: 0,
            has_unflushed: false,
            last_sent_ns: now_ns,
            ping_sent_ns: None,
            leave_ns: lifetime.map_or(u64::MAX, |life| now_ns + life.as_nanos() as u64),
            update: None,
            peer_closed: None,
            registered_ns: 0,
        };
        session.follow_stage();
        session
    }

    /// One turn; ready with how the connection ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Problem>> {
        self.seat.remember(cx.waker());
        loop {
            self.follow_stage();
            let is_busy = match self.turn(cx) {
                Ok(is_busy) => is_busy,
                Err(ending) => {
                    self.settle();
                    return Poll::Ready(ending);
                }
            };
            if is_busy {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let next_ns = self.next_deadline();
            let now_ns = self.worker.clock.now_ns();
            if next_ns > now_ns {
                // A deadline cannot be taken back: one before this is still to wake us, and then we look again.
                let is_awaited = (now_ns + 1..=next_ns).contains(&self.registered_ns);
                if !is_awaited && next_ns != u64::MAX {
                    self.worker.timers.wake_at(next_ns, cx);
                    self.registered_ns = next_ns;
                }
                return Poll::Pending;
            }
        }
    }

    /// Reads, sends and flushes. Whether there was more to do than fits in a turn; or the end.
    fn turn(&mut self, cx: &mut Context<'_>) -> Result<bool, Result<(), Problem>> {
        let mut is_busy = self.read(cx)?;
        // What is done and sent from here on has one time.
        let now_ns = self.worker.clock.now_ns();
        self.ledger.expire(now_ns, |entry| self.worker.lost(entry, now_ns));
        self.decide(now_ns)?;
        if self.state == State::Open {
            self.count_due(now_ns);
            is_busy |= self.send(now_ns, cx)?;
        }
        if let State::Settling { until_ns } = self.state
            && (self.ledger.is_settled() || now_ns >= until_ns)
        {
            self.begin_close(cx)?;
        }
        if self.has_unflushed {
            match Pin::new(&mut self.socket).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.has_unflushed = false,
                Poll::Ready(Err(error)) => return Err(self.ended(Some(&error))),
                Poll::Pending => {}
            }
        }
        Ok(is_busy)
    }

    /// What the time, or whoever holds the seat, says.
    fn decide(&mut self, now_ns: u64) -> Result<(), Result<(), Problem>> {
        let timeout_ns = self.worker.profile.traffic.timeout.as_nanos() as u64;
        if self.state == State::Open && (self.seat.is_leaving() || now_ns >= self.leave_ns) {
            self.state = State::Settling { until_ns: now_ns + timeout_ns };
        }
        if let State::Closing { until_ns } = self.state
            && now_ns >= until_ns
        {
            let words = "the closing handshake was not answered within 2 s".to_owned();
            return Err(Err(Problem::of(Ending::CloseTimeout, words)));
        }
        if let Some(sent_ns) = self.ping_sent_ns
            && now_ns >= sent_ns + timeout_ns
        {
            let words = format!("a ping was not answered within {} ms", timeout_ns / 1_000_000);
            return Err(Err(Problem::of(Ending::PingTimeout, words)));
        }
        Ok(())
    }

    fn begin_close(&mut self, cx: &mut Context<'_>) -> Result<(), Result<(), Problem>> {
        self.settle();
        self.state = State::Closing { until_ns: self.worker.clock.now_ns() + CLOSE_NS };
        // A socket that is full may not take the frame; then the handshake runs into its time.
        let frame = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::default() };
        self.start_control(Message::Close(Some(frame)), 0, cx).map(drop)
    }

    /// How the connection ended, after an error or at the end of its stream.
    fn ended(&self, error: Option<&Error>) -> Result<(), Problem> {
        match (&self.peer_closed, error) {
            (Some(_), _) if matches!(self.state, State::Closing { .. }) => Ok(()),
            (Some((code, reason)), _) => {
                let ending = match code {
                    1000 | 1001 | 1005 => Ending::ClosedByPeer,
                    _ => Ending::ClosedWithError,
                };
                let reason = if reason.is_empty() { String::new() } else { format!(" {reason:?}") };
                Err(Problem::of(ending, format!("closed by the peer with {code}{reason}")))
            }
            (None, Some(error)) => Err(of_session(error)),
            (None, None) => {
                Err(Problem::of(Ending::Reset, "ended without a closing handshake".to_owned()))
            }
        }
    }

    /// Nothing that is still on its way will be waited for.
    fn settle(&mut self) {
        let now_ns = self.worker.clock.now_ns();
        self.ledger.settle(|entry| self.worker.lost(entry, now_ns));
    }

    fn follow_stage(&mut self) {
        let stage = self.worker.stage();
        if stage == self.stage {
            return;
        }
        self.stage = stage;
        let pace = self.worker.profile.pace(stage);
        if pace != self.pace {
            self.pace = pace;
            let seed = self.worker.profile.traffic.seed;
            self.arrivals = match self.worker.exchange {
                Exchange::Subscribe { .. } => None,
                _ => {
                    let now_ns = self.worker.clock.now_ns();
                    Arrivals::new(pace, self.seat.index(), seed, now_ns)
                }
            };
            self.offered = self.arrivals.clone();
        }
        if matches!(self.worker.exchange, Exchange::Subscribe { .. }) {
            self.pace = Pace::Idle;
        }
    }

    fn next_deadline(&self) -> u64 {
        let timeout_ns = self.worker.profile.traffic.timeout.as_nanos() as u64;
        let pong_ns = self.ping_sent_ns.map_or(u64::MAX, |sent_ns| sent_ns + timeout_ns);
        let late_ns = || self.ledger.next_late_ns().unwrap_or(u64::MAX);
        let own_ns = match self.state {
            State::Settling { until_ns } | State::Closing { until_ns } => until_ns,
            State::Open => {
                let due_ns = match &self.arrivals {
                    // A blocked socket wakes us itself; meanwhile what is due is counted now and then.
                    Some(_) if self.is_blocked => self.worker.clock.now_ns() + BLOCKED_NS,
                    Some(arrivals) => arrivals.due_ns(),
                    None if matches!(self.pace, Pace::Closed { .. }) => late_ns(),
                    None => u64::MAX,
                };
                due_ns.min(self.leave_ns).min(self.ping_due_ns().unwrap_or(u64::MAX))
            }
        };
        own_ns.min(pong_ns)
    }

    /// The greeting of a subscription.
    pub(super) fn greet(&mut self) -> Result<(), Problem> {
        let Some(greeting) = self.worker.exchange.greeting() else { return Ok(()) };
        self.has_unflushed = true;
        Pin::new(&mut self.socket)
            .start_send(Message::Text(greeting.into()))
            .map_err(|error| of_session(&error))
    }
}
