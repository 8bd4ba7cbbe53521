//! The sending half of a session.

use std::ops::ControlFlow::{Break, Continue};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Sink;
use load_plan::metrics::Tally;
use load_plan::profile::{Kind, Pace};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{PING, Session, State, Step, TURN};

/// A message that is sent at most so many nanoseconds after its hold counts as sent in it: the hold ended between its time
/// and its turn.
const JUST_NS: u64 = 200_000_000;

impl Session<'_> {
    /// Sends the messages that are due; returns whether there is more than fits in a turn.
    pub(super) fn send(&mut self, now_ns: u64, cx: &mut Context<'_>) -> Step<bool> {
        let mut sent = Sent::default();
        let is_busy = self.send_due(&mut sent, now_ns, cx);
        self.worker.count(|counts| sent.add_to(counts));
        is_busy
    }

    fn send_due(&mut self, sent: &mut Sent, now_ns: u64, cx: &mut Context<'_>) -> Step<bool> {
        let (user, worker) = (self.user, self.worker);
        let mut arrivals = user.arrivals();
        let command = worker.command();
        // Refill the window once half of it is free: refilled one by one, every message would be a write of its own.
        let depth = match worker.pace() {
            Pace::Closed { depth }
                if self.state == State::Open && self.in_flight.len() <= depth / 2 =>
            {
                depth
            }
            _ => 0,
        };
        for _ in 0..TURN {
            let due_ns = arrivals.due_ns();
            let is_paced = due_ns <= now_ns;
            if !is_paced && self.in_flight.len() >= depth {
                return self.ping(now_ns, cx).map_continue(|()| false);
            }
            if !self.has_room(now_ns, cx)? {
                return Continue(false);
            }
            let due_ns = if is_paced { due_ns } else { now_ns };
            let is_older = due_ns < command.begin_ns;
            let hold = if is_older { worker.hold_at(due_ns) } else { command.hold() };
            if is_paced {
                arrivals.advance();
                // Before, the peer held the message up; when the socket became free is not known.
                if due_ns >= self.unblocked_ns {
                    worker.record_lag(hold, now_ns - due_ns);
                }
            }
            let (bytes, wire_bytes) = self.put_message();
            self.in_flight.send(due_ns, now_ns, hold);
            self.last_sent_ns = now_ns;
            let one = Sent { due: u64::from(!is_paced), messages: 1, bytes, wire_bytes };
            match hold.filter(|_| is_older && now_ns <= command.begin_ns + JUST_NS) {
                Some(hold) => worker.count_in(hold, |counts| one.add_to(counts)),
                None => sent.add(&one),
            }
        }
        Continue(true)
    }

    /// Whether another message fits before some have gone.
    fn has_room(&mut self, now_ns: u64, cx: &mut Context<'_>) -> Step<bool> {
        match self.socket.get_mut().poll_room(cx) {
            Poll::Ready(Ok(())) => {
                if std::mem::take(&mut self.is_blocked) {
                    self.unblocked_ns = now_ns;
                }
                Continue(true)
            }
            Poll::Ready(Err(error)) => Break(self.ended(Some(&Error::Io(error)))),
            Poll::Pending => {
                if !std::mem::replace(&mut self.is_blocked, true) {
                    self.worker.count(|counts| counts.backpressure_events += 1);
                }
                Continue(false)
            }
        }
    }

    /// Sends a control frame through tungstenite, which has to know of it; whether the socket took it.
    pub(super) fn start_control(
        &mut self,
        message: Message,
        now_ns: u64,
        cx: &mut Context<'_>,
    ) -> Step<bool> {
        if !self.has_room(now_ns, cx)? {
            return Continue(false);
        }
        match Pin::new(&mut self.socket).poll_ready(cx) {
            Poll::Pending => return Continue(false),
            Poll::Ready(Err(error)) => return Break(self.ended(Some(&error))),
            Poll::Ready(Ok(())) => {}
        }
        if let Err(error) = Pin::new(&mut self.socket).start_send(message) {
            return Break(self.ended(Some(&error)));
        }
        self.has_unflushed = true;
        Continue(true)
    }

    /// Puts the next message onto the wire; returns the bytes of its payload, and of its frames.
    fn put_message(&mut self) -> (u64, u64) {
        self.has_unflushed = true;
        let (worker, number) = (self.worker, self.in_flight.next());
        let fragments = worker.profile.traffic.fragments;
        let is_text = worker.protocol.kind(number) == Kind::Text;
        let first = if is_text { Data::Text } else { Data::Binary };
        let mut keys = worker.masking_keys.borrow_mut();
        let wire = self.socket.get_mut();
        let write = |out: &mut Vec<u8>| worker.protocol.write(self.id, number, out);
        if fragments == 1 {
            return wire.put(OpCode::Data(first), true, keys.draw(), write);
        }
        let mut draft = worker.draft.borrow_mut();
        draft.clear();
        write(&mut draft);
        let count = fragments as usize;
        let fragments = (0..count).map(|nth| {
            let part = draft.len() * nth / count..draft.len() * (nth + 1) / count;
            let opcode = OpCode::Data(if nth == 0 { first } else { Data::Continue });
            let write = |out: &mut Vec<u8>| out.extend_from_slice(&draft[part]);
            wire.put(opcode, nth + 1 == count, keys.draw(), write).1
        });
        (draft.len() as u64, fragments.sum())
    }

    fn ping(&mut self, now_ns: u64, cx: &mut Context<'_>) -> Step {
        let is_due = self.ping_due_ns().is_some_and(|due_ns| due_ns <= now_ns);
        if is_due
            && self.state == State::Open
            && self.start_control(Message::Ping(PING), now_ns, cx)?
        {
            (self.last_sent_ns, self.ping_sent_ns) = (now_ns, Some(now_ns));
            self.worker.count(|counts| counts.pings += 1);
        }
        Continue(())
    }

    pub(super) fn ping_due_ns(&self) -> Option<u64> {
        let ping = self.worker.profile.traffic.ping?;
        self.ping_sent_ns.is_none().then(|| self.last_sent_ns + ping.as_nanos() as u64)
    }
}

/// Counts of one turn.
#[derive(Default)]
struct Sent {
    /// Messages of a closed loop, which are due when there is room. A user counts those of an open loop.
    due: u64,
    messages: u64,
    bytes: u64,
    wire_bytes: u64,
}

impl Sent {
    fn add(&mut self, other: &Self) {
        self.due += other.due;
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.wire_bytes += other.wire_bytes;
    }

    fn add_to(&self, counts: &mut Tally) {
        counts.due += self.due;
        counts.sent += self.messages;
        counts.sent_bytes += self.bytes;
        counts.sent_wire_bytes += self.wire_bytes;
    }
}
