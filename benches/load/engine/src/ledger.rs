//! The messages of one connection that are on their way, and what an answer says about them. Pure.

use std::collections::VecDeque;

/// Give up on an answer after so many timeouts: what comes later than that answers nothing any more, and a connection
/// that loses messages does not grow for ever.
const GIVE_UP: u64 = 10;

/// Messages by number, from 0. In a steady state it allocates nothing.
#[derive(Debug)]
pub(super) struct Ledger {
    timeout_ns: u64,
    /// Number of the first entry.
    first: u32,
    entries: VecDeque<Entry>,
    /// Entries before this one are answered or late.
    expired: usize,
    in_flight: u32,
    highest_answered: Option<u32>,
    has_lost: bool,
}

/// A message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// When it was due, in nanoseconds since the run's start.
    pub(super) due_ns: u64,
    /// When it was handed to the socket.
    pub(super) sent_ns: u64,
    /// The hold it belongs to; 0 for none.
    pub(super) hold: u32,
    is_answered: bool,
    is_late: bool,
}

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The first one to this message.
    First {
        /// The message.
        entry: Entry,
        /// It came after the timeout.
        late: bool,
        /// A message sent later was answered before.
        reordered: bool,
    },
    /// Another one to a message that has been answered.
    Duplicate,
    /// To a number that was never sent.
    Unexpected,
}

impl Ledger {
    /// Answers are late after `timeout_ns`.
    #[must_use]
    pub(super) fn new(timeout_ns: u64) -> Self {
        Self {
            timeout_ns,
            first: 0,
            entries: VecDeque::new(),
            expired: 0,
            in_flight: 0,
            highest_answered: None,
            has_lost: false,
        }
    }

    /// Whether anything was given up: an answer to it would look like a duplicate.
    #[must_use]
    pub(super) fn has_lost(&self) -> bool {
        self.has_lost
    }

    /// The number that the next message gets.
    #[must_use]
    pub(super) fn next(&self) -> u32 {
        self.first + self.entries.len() as u32
    }

    /// Enters the next message.
    pub(super) fn send(&mut self, due_ns: u64, sent_ns: u64, hold: u32) {
        let entry = Entry { due_ns, sent_ns, hold, is_answered: false, is_late: false };
        self.entries.push_back(entry);
        self.in_flight += 1;
    }

    /// Takes an answer to message `number`.
    pub(super) fn answer(&mut self, number: u32, now_ns: u64) -> Answer {
        if number < self.first {
            return Answer::Duplicate;
        }
        let Some(entry) = self.entries.get_mut((number - self.first) as usize) else {
            return Answer::Unexpected;
        };
        if entry.is_answered {
            return Answer::Duplicate;
        }
        entry.is_answered = true;
        if !entry.is_late {
            self.in_flight -= 1;
        }
        let entry = *entry;
        let reordered = self.highest_answered.is_some_and(|highest| highest > number);
        self.highest_answered = self.highest_answered.max(Some(number));
        self.forget_answered();
        let late = now_ns.saturating_sub(entry.sent_ns) > self.timeout_ns;
        Answer::First { entry, late, reordered }
    }

    /// Messages that were neither answered nor given up within the timeout.
    #[must_use]
    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Whether there is an answer still to come.
    #[must_use]
    pub(super) fn is_settled(&self) -> bool {
        self.entries.is_empty()
    }

    /// Numbers of the messages without an answer, the oldest first.
    pub(super) fn unanswered(&self) -> impl Iterator<Item = u32> {
        let numbered = (self.first..).zip(&self.entries);
        numbered.filter(|(_, entry)| !entry.is_answered).map(|(number, _)| number)
    }

    /// When the next message on its way becomes late.
    #[must_use]
    pub(super) fn next_late_ns(&self) -> Option<u64> {
        self.entries.get(self.expired).map(|entry| entry.sent_ns.saturating_add(self.timeout_ns))
    }

    /// Takes what has become late out of flight, and hands out what is given up.
    pub(super) fn expire(&mut self, now_ns: u64, mut lost: impl FnMut(Entry)) {
        while let Some(entry) = self.entries.get_mut(self.expired)
            && entry.sent_ns.saturating_add(self.timeout_ns) <= now_ns
        {
            if !entry.is_answered {
                entry.is_late = true;
                self.in_flight -= 1;
            }
            self.expired += 1;
        }
        while let Some(entry) = self.entries.front()
            && entry.sent_ns.saturating_add(self.timeout_ns.saturating_mul(GIVE_UP)) <= now_ns
        {
            if !entry.is_answered {
                lost(*entry);
                self.has_lost = true;
            }
            self.pop();
            self.forget_answered();
        }
    }

    /// Gives up everything that is still on its way.
    pub(super) fn settle(&mut self, mut lost: impl FnMut(Entry)) {
        while let Some(entry) = self.entries.front() {
            if !entry.is_answered {
                lost(*entry);
                self.has_lost = true;
            }
            self.pop();
        }
        self.in_flight = 0;
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
    fn five() -> Ledger {
        let mut ledger = Ledger::new(10);
        for at in 0..5 {
            ledger.send(at, at, 1);
        }
        ledger
    }

    #[track_caller]
    fn check(ledger: &mut Ledger, number: u32, now_ns: u64, late: bool, reordered: bool) {
        match ledger.answer(number, now_ns) {
            Answer::First { entry, late: was_late, reordered: was_reordered } => {
                assert_eq!(entry.sent_ns, u64::from(number));
                assert_eq!((was_late, was_reordered), (late, reordered), "message {number}");
            }
            other => panic!("message {number}: {other:?}"),
        }
    }

    #[test]
    fn a_swapped_pair_is_one_reordered_message() {
        let mut ledger = five();
        check(&mut ledger, 0, 5, false, false);
        check(&mut ledger, 2, 6, false, false);
        check(&mut ledger, 1, 7, false, true);
        check(&mut ledger, 3, 8, false, false);
        assert_eq!(ledger.in_flight(), 1);
    }

    #[test]
    fn a_second_answer_is_a_duplicate_whether_the_first_is_forgotten_or_not() {
        let mut ledger = five();
        check(&mut ledger, 0, 5, false, false);
        check(&mut ledger, 2, 5, false, false);
        assert_eq!(ledger.answer(0, 6), Answer::Duplicate);
        assert_eq!(ledger.answer(2, 6), Answer::Duplicate);
        assert_eq!(ledger.in_flight(), 3);
    }

    #[test]
    fn a_number_that_was_never_sent_is_unexpected() {
        assert_eq!(five().answer(5, 1), Answer::Unexpected);
    }

    #[test]
    fn a_late_message_leaves_the_flight_and_is_late_once_it_comes() {
        let mut ledger = five();
        ledger.expire(11, |_| panic!("not lost yet"));
        assert_eq!(ledger.in_flight(), 3);
        assert_eq!(ledger.next_late_ns(), Some(12));
        check(&mut ledger, 0, 12, true, false);
        check(&mut ledger, 4, 12, false, false);
        assert_eq!(ledger.in_flight(), 2);
    }

    #[test]
    fn what_never_comes_is_lost_once() {
        let mut ledger = five();
        check(&mut ledger, 1, 5, false, false);
        let mut lost = Vec::new();
        ledger.expire(102, |entry| lost.push(entry.sent_ns));
        assert_eq!(lost, [0, 2]);
        ledger.settle(|entry| lost.push(entry.sent_ns));
        assert_eq!(lost, [0, 2, 3, 4]);
        assert!(ledger.is_settled());
        assert_eq!((ledger.next(), ledger.in_flight()), (5, 0));
    }

    proptest! {
        #[test]
        fn every_message_is_answered_or_lost_and_never_both(
            answers in proptest::collection::vec((0_u32..60, 0_u64..40), 0..200)
        ) {
            let mut ledger = Ledger::new(20);
            let (mut now, mut first, mut lost) = (0, 0, 0);
            for at in 0..50 {
                ledger.send(at, at, 0);
            }
            for (number, step) in answers {
                now += step / 10;
                ledger.expire(now, |_| lost += 1);
                if let Answer::First { .. } = ledger.answer(number, now) {
                    first += 1;
                }
                prop_assert!(ledger.in_flight() <= 50 - first);
            }
            ledger.settle(|_| lost += 1);
            prop_assert_eq!(first + lost, 50);
            prop_assert_eq!(ledger.in_flight(), 0);
        }
    }
}
