//! One open connection: sends messages when they are due and checks answers, until its user is told to leave.

mod receive;
mod send;

use std::ops::ControlFlow::{self, Break, Continue};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Sink;
use load_plan::metrics::Timing;
use load_plan::outcome::Ending;
use load_plan::profile::Pace;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Utf8Bytes};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::endpoint::WiredSocket;
use super::in_flight::InFlight;
use super::problem::{Problem, of_session};
use super::talk::Heard;
use super::user_handle::UserHandle;
use super::worker_state::WorkerState;

/// Messages read or sent in one turn before another connection has its own.
const TURN: usize = 64;

/// Longest closing handshake, in nanoseconds.
const CLOSE_NS: u64 = 2_000_000_000;

/// Payload of our pings: one is on its way at a time, so they need no numbers.
const PING: Bytes = Bytes::from_static(b"plimsoll");

/// Goes on, or breaks with how the connection ended.
type Step<T = ()> = ControlFlow<Result<(), Problem>, T>;

/// A connection that is open.
pub(super) struct Session<'a> {
    worker: &'a WorkerState,
    user: &'a UserHandle,
    socket: WiredSocket,
    /// Tells this connection's messages from those of any other.
    id: u32,
    in_flight: InFlight,
    heard: Heard,
    state: State,
    /// The socket did not take a message that was due.
    is_blocked: bool,
    unblocked_ns: u64,
    has_unflushed: bool,
    last_sent_ns: u64,
    ping_sent_ns: Option<u64>,
    leave_ns: u64,
    /// The highest number of a subscription's messages so far.
    sequence: Option<u64>,
    peer_closed: Option<(u16, Utf8Bytes)>,
    registered_ns: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Sends.
    Open,
    /// Awaits answers. If its user leaves for good, sends what was due until then; otherwise the next connection does.
    Settling { until_ns: u64, sends: bool },
    /// Has sent its close frame.
    Closing { until_ns: u64 },
}

impl<'a> Session<'a> {
    pub(super) fn new(
        worker: &'a WorkerState,
        user: &'a UserHandle,
        socket: WiredSocket,
        id: u32,
    ) -> Self {
        let now_ns = worker.clock.now_ns();
        let traffic = &worker.profile.traffic;
        let lifetime = worker.profile.conduct.lifetime;
        Self {
            worker,
            user,
            socket,
            id,
            in_flight: InFlight::new(traffic.timeout.as_nanos() as u64),
            heard: Heard::default(),
            state: State::Open,
            is_blocked: false,
            // What was due before could not be sent.
            unblocked_ns: now_ns,
            has_unflushed: false,
            last_sent_ns: now_ns,
            ping_sent_ns: None,
            leave_ns: lifetime.map_or(u64::MAX, |life| now_ns + life.as_nanos() as u64),
            sequence: None,
            peer_closed: None,
            registered_ns: 0,
        }
    }

    /// Takes turns until there is nothing to do; ready with how the connection ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Problem>> {
        self.user.remember(cx.waker());
        loop {
            let (is_busy, now_ns) = match self.turn(cx) {
                Continue(turn) => turn,
                Break(ended) => {
                    self.user.hold_up(true);
                    self.give_up_answers();
                    if let (Err(_), Some(sent_ns)) = (&ended, self.ping_sent_ns) {
                        self.worker.record_lost(Timing::Ping, sent_ns);
                    }
                    return Poll::Ready(ended);
                }
            };
            self.user.hold_up(self.is_blocked || !self.sends());
            if is_busy {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let next_ns = self.next_deadline();
            if next_ns > now_ns {
                // Deadlines cannot be cancelled: an earlier one still wakes this task, which then looks again.
                let is_awaited = (now_ns + 1..=next_ns).contains(&self.registered_ns);
                if !is_awaited && next_ns != u64::MAX {
                    self.worker.timers.wake_at(next_ns, cx);
                    self.registered_ns = next_ns;
                }
                return Poll::Pending;
            }
        }
    }

    /// Reads, sends and flushes; returns whether there is more to do than fits in a turn, and the turn's time.
    fn turn(&mut self, cx: &mut Context<'_>) -> Step<(bool, u64)> {
        let mut is_busy = self.read(cx)?;
        // Everything that is sent in this turn has one time.
        let now_ns = self.worker.clock.now_ns();
        self.in_flight.expire(now_ns, |entry| self.worker.lost(entry, now_ns));
        self.decide(now_ns)?;
        if self.sends() {
            is_busy |= self.send(now_ns, cx)?;
        }
        if let State::Settling { until_ns, .. } = self.state
            && (self.is_settled() || now_ns >= until_ns)
        {
            self.begin_close(cx)?;
        }
        if self.has_unflushed {
            match Pin::new(&mut self.socket).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.has_unflushed = false,
                Poll::Ready(Err(error)) => return Break(self.ended(Some(&error))),
                Poll::Pending => {}
            }
        }
        Continue((is_busy, now_ns))
    }

    /// Follows the user's handle and the timeouts.
    fn decide(&mut self, now_ns: u64) -> Step {
        let timeout_ns = self.worker.profile.traffic.timeout.as_nanos() as u64;
        if self.state == State::Open && (self.user.must_close() || now_ns >= self.leave_ns) {
            let sends = self.user.is_leaving();
            self.state = State::Settling { until_ns: now_ns + timeout_ns, sends };
            self.worker.record_silence(self.user.silence().pause(now_ns));
        }
        if let State::Settling { until_ns, sends: true } = self.state
            && now_ns >= until_ns
        {
            // The messages that it sent since have the timeout as well.
            self.state = State::Settling { until_ns: self.last_sent_ns + timeout_ns, sends: false };
        }
        if let State::Closing { until_ns } = self.state
            && now_ns >= until_ns
        {
            let words = "the closing handshake was not answered within 2 s".to_owned();
            return Break(Err(Problem::of(Ending::CloseTimeout, words)));
        }
        if let Some(sent_ns) = self.ping_sent_ns
            && now_ns >= sent_ns + timeout_ns
        {
            let words = format!("a ping was not answered within {} ms", timeout_ns / 1_000_000);
            return Break(Err(Problem::of(Ending::PingTimeout, words)));
        }
        Continue(())
    }

    /// Whether messages that are due are sent.
    fn sends(&self) -> bool {
        match self.state {
            State::Open => true,
            State::Settling { sends, .. } => sends,
            State::Closing { .. } => false,
        }
    }

    fn is_settled(&self) -> bool {
        let has_more = self.sends() && self.user.arrivals().due_ns() != u64::MAX;
        self.in_flight.is_settled() && !has_more
    }

    fn begin_close(&mut self, cx: &mut Context<'_>) -> Step {
        self.give_up_answers();
        self.state = State::Closing { until_ns: self.worker.clock.now_ns() + CLOSE_NS };
        // A full socket does not take the frame; then the closing handshake times out.
        let frame = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::default() };
        self.start_control(Message::Close(Some(frame)), 0, cx).map_continue(drop)
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
                let reason = reason.as_str();
                let reason = if reason.is_empty() { String::new() } else { format!(" {reason:?}") };
                Err(Problem::of(ending, format!("closed by the peer with {code}{reason}")))
            }
            (None, Some(error)) => Err(of_session(error)),
            (None, None) => {
                Err(Problem::of(Ending::Reset, "ended without a closing handshake".to_owned()))
            }
        }
    }

    fn give_up_answers(&mut self) {
        let now_ns = self.worker.clock.now_ns();
        self.in_flight.give_up(|entry| self.worker.lost(entry, now_ns));
    }

    fn next_deadline(&self) -> u64 {
        let timeout_ns = self.worker.profile.traffic.timeout.as_nanos() as u64;
        let pong_ns = self.ping_sent_ns.map_or(u64::MAX, |sent_ns| sent_ns + timeout_ns);
        let late_ns = || self.in_flight.next_late_ns().unwrap_or(u64::MAX);
        let own_ns = match self.state {
            State::Settling { until_ns, .. } | State::Closing { until_ns } => until_ns,
            State::Open => {
                let due_ns = match (self.user.arrivals().due_ns(), self.worker.pace()) {
                    // A full socket wakes this task itself.
                    _ if self.is_blocked => u64::MAX,
                    (u64::MAX, Pace::Closed { .. }) => late_ns(),
                    (due_ns, _) => due_ns,
                };
                due_ns.min(self.leave_ns).min(self.ping_due_ns().unwrap_or(u64::MAX))
            }
        };
        own_ns.min(pong_ns)
    }
}
