//! Numbers of messages that were given up. Pure.

use std::collections::VecDeque;
use std::ops::Range;

/// Ranges kept, to bound the memory and the search of a connection that loses every other message.
const MOST: usize = 1024;

/// Messages that no answer was waited for any longer, as ranges in order: a peer that answers nothing costs one range.
#[derive(Debug, Default)]
pub(super) struct GivenUp {
    ranges: VecDeque<Range<u32>>,
    /// Numbers below were forgotten.
    forgotten: u32,
}

impl GivenUp {
    /// Gives up `number`, which is higher than all before.
    pub(super) fn push(&mut self, number: u32) {
        match self.ranges.back_mut() {
            Some(last) if last.end == number => last.end += 1,
            _ => self.ranges.push_back(number..number + 1),
        }
        self.forget_oldest();
    }

    /// Whether `number` was given up and has not been taken since. A number that was forgotten may have been, every time.
    pub(super) fn take(&mut self, number: u32) -> bool {
        if number < self.forgotten {
            return true;
        }
        let at = self.ranges.partition_point(|range| range.end <= number);
        let Some(range) = self.ranges.get_mut(at).filter(|range| range.contains(&number)) else {
            return false;
        };
        let rest = number + 1..range.end;
        range.end = number;
        if range.start == range.end {
            self.ranges.remove(at);
            if rest.start < rest.end {
                self.ranges.insert(at, rest);
            }
        } else if rest.start < rest.end {
            self.ranges.insert(at + 1, rest);
            self.forget_oldest();
        }
        true
    }

    fn forget_oldest(&mut self) {
        if self.ranges.len() > MOST
            && let Some(oldest) = self.ranges.pop_front()
        {
            self.forgotten = oldest.end;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_other_message_given_up_costs_no_more_than_a_bounded_number_of_ranges() {
        let mut given_up = GivenUp::default();
        (0..1_000_000).step_by(2).for_each(|number| given_up.push(number));
        assert_eq!(given_up.ranges.len(), MOST);
        assert!(given_up.take(999_998) && !given_up.take(999_998) && !given_up.take(999_997));
        // It is not known any more whether these were given up.
        assert!(given_up.take(0) && given_up.take(1));
    }

    proptest! {
        #[test]
        fn a_number_that_was_given_up_is_taken_once(
            pushed in proptest::collection::btree_set(0_u32..100, 0..50),
            taken in proptest::collection::vec(0_u32..100, 0..200)
        ) {
            let mut given_up = GivenUp::default();
            pushed.iter().for_each(|number| given_up.push(*number));
            let mut left: BTreeSet<u32> = pushed;
            for number in taken {
                prop_assert_eq!(given_up.take(number), left.remove(&number), "{}", number);
            }
        }
    }
}
