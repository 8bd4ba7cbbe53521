//! The sending half of a session.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Sink;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, Utf8Bytes};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{PING, Session, TURN, header_bytes};
use crate::load::metrics::Timing;
use crate::load::problem::Problem;
use crate::load::profile::{Kind, Pace};

impl Session<'_> {
    pub(super) fn send(&mut self, cx: &mut Context<'_>) -> Result<bool, Result<(), Problem>> {
        // A window is filled once half of it is free: refilled one by one, it would fall apart into writes of one.
        let has_room = |depth: u32, in_flight: u32| in_flight <= depth / 2;
        let fills =
            matches!(self.pace, Pace::Closed { depth } if has_room(depth, self.ledger.in_flight()));
        for _ in 0..TURN {
            let now_ns = self.worker.clock.now_ns();
            let due_ns = match (&self.arrivals, self.pace) {
                (Some(arrivals), _) if arrivals.due_ns() <= now_ns => arrivals.due_ns(),
                (None, Pace::Closed { depth }) if fills && self.ledger.in_flight() < depth => {
                    now_ns
                }
                _ => return self.ping(now_ns, cx).map(|()| false),
            };
            if !self.is_ready(now_ns, cx)? {
                return Ok(false);
            }
            let is_closed = self.arrivals.is_none();
            if let Some(arrivals) = &mut self.arrivals {
                arrivals.advance();
                let since_ns = due_ns.max(self.unblocked_ns);
                self.worker.record_in_hold(Timing::ScheduleLag, now_ns.saturating_sub(since_ns));
            }
            let bytes = self.start_message().map_err(|error| self.ended(Some(&error)))?;
            self.ledger.send(due_ns, now_ns, self.worker.hold());
            self.last_sent_ns = now_ns;
            let fragments = u64::from(self.worker.profile.traffic.fragments);
            self.worker.count(|counts| {
                counts.due += u64::from(is_closed);
                counts.sent += 1;
                counts.sent_bytes += bytes;
                counts.sent_wire_bytes += bytes + fragments * header_bytes(bytes / fragments, true);
            });
        }
        Ok(true)
    }

    pub(super) fn count_due(&mut self, now_ns: u64) {
        let Some(offered) = &mut self.offered else { return };
        let mut due = 0;
        while offered.due_ns() <= now_ns {
            offered.advance();
            due += 1;
        }
        self.worker.count(|counts| counts.due += due);
    }

    pub(super) fn is_ready(
        &mut self,
        now_ns: u64,
        cx: &mut Context<'_>,
    ) -> Result<bool, Result<(), Problem>> {
        match Pin::new(&mut self.socket).poll_ready(cx) {
            Poll::Ready(Ok(())) => {
                if std::mem::take(&mut self.is_blocked) {
                    self.unblocked_ns = now_ns;
                }
                Ok(true)
            }
            Poll::Ready(Err(error)) => Err(self.ended(Some(&error))),
            Poll::Pending => {
                if !std::mem::replace(&mut self.is_blocked, true) {
                    self.worker.count(|counts| counts.backpressure_events += 1);
                }
                Ok(false)
            }
        }
    }

    /// Hands the next message to the socket; its bytes of payload. The payload's buffer comes back as soon as tungstenite
    /// has copied it, so the next message needs no other.
    fn start_message(&mut self) -> Result<u64, Error> {
        self.worker.exchange.write(self.id, self.ledger.next(), &mut self.buffer);
        let payload = self.buffer.split().freeze();
        let bytes = payload.len() as u64;
        let traffic = &self.worker.profile.traffic;
        self.has_unflushed = true;
        if traffic.fragments > 1 {
            self.start_fragments(&payload, traffic.fragments as usize, traffic.kind)?;
            return Ok(bytes);
        }
        let message = match traffic.kind {
            Kind::Binary => Message::Binary(payload),
            Kind::Text => {
                Message::Text(Utf8Bytes::try_from(payload).map_err(|e| Error::Utf8(e.to_string()))?)
            }
        };
        Pin::new(&mut self.socket).start_send(message)?;
        Ok(bytes)
    }

    fn start_fragments(&mut self, payload: &Bytes, count: usize, kind: Kind) -> Result<(), Error> {
        let first = if kind == Kind::Text { Data::Text } else { Data::Binary };
        for nth in 0..count {
            let (from, to) = (payload.len() * nth / count, payload.len() * (nth + 1) / count);
            let opcode = OpCode::Data(if nth == 0 { first } else { Data::Continue });
            let frame = Frame::message(payload.slice(from..to), opcode, nth + 1 == count);
            Pin::new(&mut self.socket).start_send(Message::Frame(frame))?;
        }
        Ok(())
    }

    pub(super) fn ping(
        &mut self,
        now_ns: u64,
        cx: &mut Context<'_>,
    ) -> Result<(), Result<(), Problem>> {
        let is_due = self.ping_due_ns().is_some_and(|due_ns| due_ns <= now_ns);
        if is_due && self.is_ready(now_ns, cx)? {
            Pin::new(&mut self.socket)
                .start_send(Message::Ping(PING))
                .map_err(|error| self.ended(Some(&error)))?;
            self.has_unflushed = true;
            (self.last_sent_ns, self.ping_sent_ns) = (now_ns, Some(now_ns));
            self.worker.count(|counts| counts.pings += 1);
        }
        Ok(())
    }

    pub(super) fn ping_due_ns(&self) -> Option<u64> {
        let ping = self.worker.profile.traffic.ping?;
        self.ping_sent_ns.is_none().then(|| self.last_sent_ns + ping.as_nanos() as u64)
    }
}
