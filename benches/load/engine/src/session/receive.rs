//! The receiving half of a session.

use std::cmp::Ordering;
use std::ops::ControlFlow::{Break, Continue};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::Stream;
use load_plan::metrics::{Tally, Timing};
use load_plan::outcome::Fault;
use load_plan::profile::Kind;
use tokio_tungstenite::tungstenite::protocol::frame::Utf8Bytes;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{Session, Step, TURN};
use crate::in_flight::Answer;
use crate::message::Recognised;
use crate::protocol::{Messages, Update};
use crate::wire::Next;

impl Session<'_> {
    /// Takes the messages that have come; returns whether there is more than fits in a turn.
    pub(super) fn read(&mut self, cx: &mut Context<'_>) -> Step<bool> {
        let mut received = Received::default();
        let is_busy = self.read_some(&mut received, cx);
        self.worker.count(|counts| received.add_to(counts));
        is_busy
    }

    fn read_some(&mut self, received: &mut Received, cx: &mut Context<'_>) -> Step<bool> {
        for _ in 0..TURN {
            match self.socket.get_mut().poll_next(cx) {
                Poll::Pending => return Continue(false),
                Poll::Ready(Err(error)) => return Break(self.ended(Some(&Error::Io(error)))),
                Poll::Ready(Ok(Next::Message(kind, payload))) => {
                    let bytes = self.socket.get_mut().lend();
                    let taken = self.take_payload(&bytes[payload], kind, received);
                    self.socket.get_mut().give_back(bytes);
                    taken?;
                }
                Poll::Ready(Ok(_)) => match Pin::new(&mut self.socket).poll_next(cx) {
                    Poll::Pending if self.socket.get_ref().is_passing() => return Continue(false),
                    Poll::Pending => {}
                    Poll::Ready(Some(Ok(message))) => self.take(&message, received)?,
                    Poll::Ready(Some(Err(error))) => return Break(self.ended(Some(&error))),
                    Poll::Ready(None) => return Break(self.ended(None)),
                },
            }
        }
        Continue(true)
    }

    /// Takes a message that tungstenite has read.
    fn take(&mut self, message: &Message, received: &mut Received) -> Step {
        // tungstenite may have an answer ready, to a ping or to a close.
        self.has_unflushed = true;
        match message {
            Message::Text(text) => self.take_payload(text.as_bytes(), Kind::Text, received)?,
            Message::Binary(payload) => self.take_payload(payload, Kind::Binary, received)?,
            Message::Pong(_) => {
                if let Some(sent_ns) = self.ping_sent_ns.take() {
                    let now_ns = self.socket.get_ref().received_ns();
                    self.worker.count(|counts| counts.pongs += 1);
                    self.worker.record(Timing::Ping, now_ns.saturating_sub(sent_ns));
                }
            }
            Message::Close(frame) => {
                // 1005: a close frame without a code (RFC 6455 §7.1.5).
                self.peer_closed = Some(match frame {
                    Some(frame) => (frame.code.into(), frame.reason.clone()),
                    None => (1005, Utf8Bytes::default()),
                });
            }
            // tungstenite has queued the pong.
            Message::Ping(_) | Message::Frame(_) => {}
        }
        Continue(())
    }

    /// Takes a message. Text that is not UTF-8 ends the connection.
    fn take_payload(&mut self, payload: &[u8], kind: Kind, received: &mut Received) -> Step {
        let now_ns = self.socket.get_ref().received_ns();
        let worker = self.worker;
        let message = (kind, payload);
        let recognised =
            worker.protocol.recognise(self.id, message, &self.in_flight, &mut self.heard);
        // A message that came back byte for byte as it was sent is valid text.
        let is_checked = matches!(
            (&worker.protocol.messages, recognised),
            (Messages::Echo(..), Recognised::Exact(_))
        );
        if kind == Kind::Text
            && !is_checked
            && let Err(error) = str::from_utf8(payload)
        {
            return Break(self.ended(Some(&Error::Utf8(error.to_string()))));
        }
        received.enter(payload.len());
        self.take_answer(recognised, payload, now_ns);
        Continue(())
    }

    fn take_answer(&mut self, recognised: Recognised, payload: &[u8], now_ns: u64) {
        if let Some(update) = self.worker.protocol.update(payload) {
            self.take_update(update, payload, now_ns);
            return;
        }
        let fault = |fault| self.worker.fault(fault, now_ns, payload);
        let (number, is_right) = match recognised {
            Recognised::Exact(number) => (number, true),
            Recognised::Corrupted(number) => (number, false),
            Recognised::Part => return,
            Recognised::Unknown => return fault(Fault::Unexpected),
        };
        match self.in_flight.answer(number, now_ns) {
            Answer::First { entry, .. } if !is_right => {
                fault(Fault::Corrupted);
                self.worker.unanswered(entry, now_ns);
            }
            Answer::GivenUp if !is_right => fault(Fault::Corrupted),
            Answer::First { entry, late, reordered } => {
                if late {
                    fault(Fault::Late);
                }
                if reordered {
                    fault(Fault::Reordered);
                }
                self.worker.answered(entry, now_ns);
            }
            // The message is counted as lost.
            Answer::GivenUp => {}
            Answer::Duplicate => fault(Fault::Duplicated),
            Answer::Unexpected => fault(Fault::Unexpected),
        }
    }

    fn take_update(&mut self, update: Update, payload: &[u8], now_ns: u64) {
        let fault = |fault| self.worker.fault(fault, now_ns, payload);
        if update.lacks_number {
            fault(Fault::Unexpected);
        }
        if let (Some(last), Some(this)) = (self.sequence, update.sequence) {
            match this.cmp(&last) {
                Ordering::Less => fault(Fault::Reordered),
                Ordering::Equal => fault(Fault::Duplicated),
                Ordering::Greater => {
                    self.worker.count(|counts| counts.missed_updates += this - last - 1);
                }
            }
        }
        self.sequence = self.sequence.max(update.sequence);
        let age_ns = update.time_ms.and_then(|time_ms| self.worker.age_ns(time_ms, now_ns));
        if update.has_time {
            self.worker.record_age(age_ns, now_ns);
        }
        let is_hold = self.worker.command().hold().is_some();
        let gap = self.user.silence().end(now_ns, age_ns.unwrap_or_default(), is_hold);
        self.worker.record_gap(gap);
    }
}

/// Counts of one turn.
#[derive(Default)]
struct Received {
    messages: u64,
    bytes: u64,
    wire_bytes: u64,
}

impl Received {
    fn enter(&mut self, payload: usize) {
        let payload = payload as u64;
        self.messages += 1;
        self.bytes += payload;
        self.wire_bytes += payload + header_bytes(payload);
    }

    fn add_to(&self, counts: &mut Tally) {
        counts.received += self.messages;
        counts.received_bytes += self.bytes;
        counts.received_wire_bytes += self.wire_bytes;
    }
}

/// Bytes of the header of a server's frame around `payload` bytes (RFC 6455 §5.2).
fn header_bytes(payload: u64) -> u64 {
    match payload {
        0..126 => 2,
        126..=0xffff => 4,
        _ => 10,
    }
}
