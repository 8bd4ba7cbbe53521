//! The in-flight table of one connection: messages without an answer, and how an answer relates to them. Pure.

mod given_up;

use std::collections::VecDeque;

use given_up::GivenUp;

/// Timeouts after which an answer is given up, so that the table of a connection that loses messages stays small.
const GIVE_UP: u64 = 10;

/// Messages by number, from 0. Allocates nothing in a steady state.
#[derive(Debug)]
pub(super) struct InFlight {
    timeout_ns: u64,
    /// Number of the first entry.
    first: u32,
    entries: VecDeque<Entry>,
    /// Entries before this one are answered or late.
    expired: usize,
    /// Messages that are neither answered nor late.
    in_time: u32,
    highest_answered: Option<u32>,
    given_up: GivenUp,
}

/// A message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// When it was due, in nanoseconds since the run's start.
    pub(super) due_ns: u64,
    /// When it was handed to the socket.
    pub(super) sent_ns: u64,
    /// The stage in whose hold it was due.
    pub(super) hold: Option<u32>,
    is_answered: bool,
    is_late: bool,
}

/// How an answer relates to the messages that were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The first one to this message.
    First {
        /// The message.
        entry: Entry,
        /// Whether it came after the timeout.
        late: bool,
        /// Whether a message that was sent later has been answered already.
        reordered: bool,
    },
    /// The first one to a message that was given up before.
    GivenUp,
    /// A further answer to a message.
    Duplicate,
    /// An answer to a number that was never sent.
    Unexpected,
}

impl InFlight {
    /// Answers are late after `timeout_ns`.
    pub(super) fn new(timeout_ns: u64) -> Self {
        Self {
            timeout_ns,
            first: 0,
            entries: VecDeque::new(),
            expired: 0,
            in_time: 0,
            highest_answered: None,
            given_up: GivenUp::default(),
        }
    }

    /// The number that the next message gets.
    pub(super) fn next(&self) -> u32 {
        self.first + self.entries.len() as u32
    }

    /// Enters the next message.
    pub(super) fn send(&mut self, due_ns: u64, sent_ns: u64, hold: Option<u32>) {
        let entry = Entry { due_ns, sent_ns, hold, is_answered: false, is_late: false };
        self.entries.push_back(entry);
        self.in_time += 1;
    }

    /// Takes an answer to message `number`.
    pub(super) fn answer(&mut self, number: u32, now_ns: u64) -> Answer {
        if number < self.first {
            return if self.given_up.take(number) { Answer::GivenUp } else { Answer::Duplicate };
        }
        let Some(slot) = self.entries.get_mut((number - self.first) as usize) else {
            return Answer::Unexpected;
        };
        // Copied before it is changed: a load across a fresh store would wait for it.
        let entry = *slot;
        if entry.is_answered {
            return Answer::Duplicate;
        }
        slot.is_answered = true;
        if !entry.is_late {
            self.in_time -= 1;
        }
        let reordered = self.highest_answered.is_some_and(|highest| highest > number);
        self.highest_answered = self.highest_answered.max(Some(number));
        self.forget_answered();
        let late = now_ns.saturating_sub(entry.sent_ns) > self.timeout_ns;
        Answer::First { entry, late, reordered }
    }

    /// Messages that are neither answered nor late.
    pub(super) fn len(&self) -> u32 {
        self.in_time
    }

    /// Whether no answer is still to come, not even a late one.
    pub(super) fn is_settled(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether message `number` is awaited, in time or late.
    pub(super) fn is_unanswered(&self, number: u32) -> bool {
        let at = number.checked_sub(self.first);
        at.and_then(|at| self.entries.get(at as usize)).is_some_and(|entry| !entry.is_answered)
    }

    /// Numbers of the messages without an answer, the oldest first.
    pub(super) fn unanswered(&self) -> impl Iterator<Item = u32> {
        let numbered = (self.first..).zip(&self.entries);
        numbered.filter(|(_, entry)| !entry.is_answered).map(|(number, _)| number)
    }

    /// When the next message on its way becomes late.
    pub(super) fn next_late_ns(&self) -> Option<u64> {
        self.entries.get(self.expired).map(|entry| entry.sent_ns.saturating_add(self.timeout_ns))
    }

    /// Marks messages as late, and hands out those that are given up.
    pub(super) fn expire(&mut self, now_ns: u64, mut lost: impl FnMut(Entry)) {
        while let Some(entry) = self.entries.get_mut(self.expired)
            && entry.sent_ns.saturating_add(self.timeout_ns) <= now_ns
        {
            if !entry.is_answered {
                entry.is_late = true;
                self.in_time -= 1;
            }
            self.expired += 1;
        }
        while let Some(entry) = self.entries.front()
            && entry.sent_ns.saturating_add(self.timeout_ns.saturating_mul(GIVE_UP)) <= now_ns
        {
            if !entry.is_answered {
                lost(*entry);
                self.given_up.push(self.first);
            }
            self.pop();
            self.forget_answered();
        }
    }

    /// Gives up every message without an answer.
    pub(super) fn give_up(&mut self, mut lost: impl FnMut(Entry)) {
        while let Some(entry) = self.entries.front() {
            if !entry.is_answered {
                lost(*entry);
                self.given_up.push(self.first);
            }
            self.pop();
        }
        self.in_time = 0;
    }

    fn forget_answered(&mut self) {
        while self.entries.front().is_some_and(|entry| entry.is_answered) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        self.entries.pop_front();
        self.first += 1;
        self.expired = self.expired.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Five messages, one a nanosecond; late after 10.
    fn five() -> InFlight {
        let mut in_flight = InFlight::new(10);
        for at in 0..5 {
            in_flight.send(at, at, Some(0));
        }
        in_flight
    }

    #[track_caller]
    fn check(in_flight: &mut InFlight, number: u32, now_ns: u64, late: bool, reordered: bool) {
        match in_flight.answer(number, now_ns) {
            Answer::First { entry, late: was_late, reordered: was_reordered } => {
                assert_eq!(entry.sent_ns, u64::from(number));
                assert_eq!((was_late, was_reordered), (late, reordered), "message {number}");
            }
            other => panic!("message {number}: {other:?}"),
        }
    }

    #[test]
    fn a_swapped_pair_is_one_reordered_message() {
        let mut in_flight = five();
        check(&mut in_flight, 0, 5, false, false);
        check(&mut in_flight, 2, 6, false, false);
        check(&mut in_flight, 1, 7, false, true);
        check(&mut in_flight, 3, 8, false, false);
        assert_eq!(in_flight.len(), 1);
    }

    #[test]
    fn a_second_answer_is_a_duplicate_even_if_the_message_is_forgotten() {
        let mut in_flight = five();
        check(&mut in_flight, 0, 5, false, false);
        check(&mut in_flight, 2, 5, false, false);
        assert_eq!(in_flight.answer(0, 6), Answer::Duplicate);
        assert_eq!(in_flight.answer(2, 6), Answer::Duplicate);
        assert_eq!(in_flight.len(), 3);
    }

    #[test]
    fn a_number_that_was_never_sent_is_unexpected() {
        assert_eq!(five().answer(5, 1), Answer::Unexpected);
    }

    #[test]
    fn a_late_message_is_no_longer_in_flight_and_its_answer_is_late() {
        let mut in_flight = five();
        in_flight.expire(11, |_| panic!("not lost yet"));
        assert_eq!(in_flight.len(), 3);
        assert_eq!(in_flight.next_late_ns(), Some(12));
        check(&mut in_flight, 0, 12, true, false);
        check(&mut in_flight, 4, 12, false, false);
        assert_eq!(in_flight.len(), 2);
    }

    #[test]
    fn a_message_without_an_answer_is_lost_once() {
        let mut in_flight = five();
        check(&mut in_flight, 1, 5, false, false);
        let mut lost = Vec::new();
        in_flight.expire(102, |entry| lost.push(entry.sent_ns));
        assert_eq!(lost, [0, 2]);
        in_flight.give_up(|entry| lost.push(entry.sent_ns));
        assert_eq!(lost, [0, 2, 3, 4]);
        assert!(in_flight.is_settled());
        assert_eq!((in_flight.next(), in_flight.len()), (5, 0));
    }

    #[test]
    fn an_answer_to_a_message_that_was_given_up_is_no_duplicate_but_a_second_one_is() {
        let mut in_flight = five();
        check(&mut in_flight, 1, 5, false, false);
        in_flight.expire(102, |_| {});
        in_flight.give_up(|_| {});
        let answers = [0, 0, 1, 4].map(|number| in_flight.answer(number, 110));
        use Answer::{Duplicate, GivenUp};
        assert_eq!(answers, [GivenUp, Duplicate, Duplicate, GivenUp]);
    }

    proptest! {
        #[test]
        fn every_message_is_answered_or_lost_and_never_both(
            answers in proptest::collection::vec((0_u32..60, 0_u64..40), 0..200)
        ) {
            let mut in_flight = InFlight::new(20);
            let (mut now, mut first, mut lost) = (0, 0, 0);
            for at in 0..50 {
                in_flight.send(at, at, None);
            }
            for (number, step) in answers {
                now += step / 10;
                in_flight.expire(now, |_| lost += 1);
                if let Answer::First { .. } = in_flight.answer(number, now) {
                    first += 1;
                }
                prop_assert!(in_flight.len() <= 50 - first);
            }
            in_flight.give_up(|_| lost += 1);
            prop_assert_eq!(first + lost, 50);
            prop_assert_eq!(in_flight.len(), 0);
        }
    }
}
