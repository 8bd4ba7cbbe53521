//! Exchanges as messages, which are sent in turn, and how their answers are recognised. Pure.

use conversation::frame::first_number;
use conversation::script::{Answer, Line};
use load_plan::profile::Kind;

use super::in_flight::InFlight;
use super::message::Recognised;

/// The exchanges of a conversation, at least one. Message n of a connection is exchange n modulo their number.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    exchanges: Box<[Line]>,
}

/// The messages of an answer that have come, of one that needs more.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    number: u32,
    messages: usize,
}

impl Talk {
    /// The talk of a checked profile, in which every exchange sends.
    pub(super) fn new(exchanges: Vec<Line>) -> Self {
        Self { exchanges: exchanges.into() }
    }

    /// Appends message `number` to `out`.
    pub(super) fn write(&self, connection: u32, number: u32, out: &mut Vec<u8>) {
        if let Some(send) = &self.exchange(number).send {
            send.text().write(self.seq(connection, number), out);
        }
    }

    /// Text or binary.
    pub(super) fn kind(&self, number: u32) -> Kind {
        kind(self.exchange(number).send.as_ref().is_some_and(|send| send.is_binary()))
    }

    /// Which message `payload` answers: the one whose number it has, or, where the rule has no number, the oldest one that
    /// awaits such an answer.
    pub(super) fn recognise(
        &self,
        connection: u32,
        (kind, payload): (Kind, &[u8]),
        in_flight: &InFlight,
        heard: &mut Heard,
    ) -> Recognised {
        let mut answered = None;
        for (number, answer) in self.numbered(connection, payload) {
            if in_flight.is_unanswered(number) {
                return judged(number, kind == self::kind(answer.binary));
            }
            answered.get_or_insert(number);
        }
        if let Some(number) = answered {
            return Recognised::Exact(number);
        }
        let in_turn = |number: &u32| self.answer(*number).is_some_and(|one| !is_numbered(one));
        let awaited = in_flight.unanswered().find(in_turn);
        let Some((number, answer)) = awaited.and_then(|at| Some((at, self.answer(at)?))) else {
            return Recognised::Unknown;
        };
        if heard.number != number {
            *heard = Heard { number, messages: 0 };
        }
        heard.messages += 1;
        let is_kind = kind == self::kind(answer.binary);
        if is_kind && heard.messages < answer.frames {
            return Recognised::Part;
        }
        *heard = Heard::default();
        judged(number, is_kind && answer.rule.accepts(payload, self.seq(connection, number)))
    }

    /// The messages whose number `payload` has.
    fn numbered<'a>(
        &'a self,
        connection: u32,
        payload: &'a [u8],
    ) -> impl Iterator<Item = (u32, &'a Answer)> {
        let count = self.exchanges.len() as u64;
        let answers = self.exchanges.iter().zip(0..).filter_map(|(line, at)| {
            line.answer.as_ref().filter(|answer| is_numbered(answer)).map(|answer| (at, answer))
        });
        answers.flat_map(move |(at, answer)| {
            answer.rule.numbers(payload).filter_map(move |seq| {
                let nth = seq.checked_sub(first_number(connection))?;
                let number = nth.checked_mul(count)?.checked_add(at)?;
                Some((number.try_into().ok()?, answer))
            })
        })
    }

    fn exchange(&self, number: u32) -> &Line {
        &self.exchanges[number as usize % self.exchanges.len()]
    }

    fn answer(&self, number: u32) -> Option<&Answer> {
        self.exchange(number).answer.as_ref()
    }

    /// What stands in message `number` for `{seq}`.
    fn seq(&self, connection: u32, number: u32) -> u64 {
        first_number(connection) + u64::from(number) / self.exchanges.len() as u64
    }
}

/// Whether the answer tells its message. Of several messages only the last one has a number.
fn is_numbered(answer: &Answer) -> bool {
    answer.frames == 1 && answer.rule.has_number()
}

fn judged(number: u32, is_right: bool) -> Recognised {
    if is_right { Recognised::Exact(number) } else { Recognised::Corrupted(number) }
}

fn kind(is_binary: bool) -> Kind {
    if is_binary { Kind::Binary } else { Kind::Text }
}
