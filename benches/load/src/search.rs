//! Finds the highest value at which thresholds hold: doubling, bisection, confirmation. Pure: the caller runs trials.

use crate::validator::RunVerdict;

/// The next step of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Run a trial.
    Try {
        /// The value to try.
        value: f64,
        /// The trial is a long one, and its value is the answer if it holds.
        confirms: bool,
    },
    /// The search is over.
    Done(End),
}

/// How a search ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    /// The answer.
    Found {
        /// The highest value that was confirmed.
        value: f64,
        /// The trial above it was invalid: the generator was the limit, not the target.
        limited: bool,
    },
    /// No value was confirmed.
    Nothing {
        /// The last value that was tried, and the lowest.
        value: f64,
        /// The last trial was a failure of the target. Otherwise it says nothing about the target.
        judged: bool,
        /// The last trial was to confirm a value that had held in a short one.
        confirms: bool,
    },
}

/// Confirmations that may fail before the search ends without an answer.
const CONFIRMATIONS: u32 = 4;

/// The state of a search.
#[derive(Clone, Debug)]
pub struct Search {
    low: Option<f64>,
    high: Option<f64>,
    limited: bool,
    top: f64,
    within: f64,
    trying: f64,
    confirming: u32,
    end: Option<End>,
}

impl Search {
    /// Starts at `first`, goes up to `top` at most, and is exact to `within`, a share of the answer.
    #[must_use]
    pub fn new(first: f64, top: f64, within: f64) -> Self {
        let (low, high, end) = (None, None, None);
        Self { low, high, limited: false, top, within, trying: first, confirming: 0, end }
    }

    /// The next step.
    #[must_use]
    pub fn next(&self) -> Next {
        let next = Next::Try { value: self.trying, confirms: self.confirming > 0 };
        self.end.map_or(next, Next::Done)
    }

    /// Takes the verdict of the trial that [`Search::next`] asked for. If it is neither a pass nor a failure, the generator
    /// was the limit.
    pub fn learn(&mut self, verdict: RunVerdict) {
        if self.confirming > 0 {
            self.confirm(verdict);
            return;
        }
        if verdict == RunVerdict::Pass {
            self.low = Some(self.trying);
        } else {
            self.high = Some(self.trying);
            self.limited = verdict != RunVerdict::Fail;
        }
        match (self.low, self.high) {
            (None, _) => self.end = Some(self.nothing(verdict)),
            (Some(low), Some(high)) if high / low - 1.0 > self.within => {
                self.trying = f64::midpoint(low, high);
            }
            (Some(low), None) if low < self.top => self.trying = (2.0 * low).min(self.top),
            (Some(low), _) => {
                self.trying = low;
                self.confirming = 1;
            }
        }
    }

    fn nothing(&self, verdict: RunVerdict) -> End {
        let judged = verdict == RunVerdict::Fail;
        End::Nothing { value: self.trying, judged, confirms: self.confirming > 0 }
    }

    /// A short trial may hold by luck. If the long one does not hold, its value is lowered step by step.
    fn confirm(&mut self, verdict: RunVerdict) {
        if verdict == RunVerdict::Pass {
            self.end = Some(End::Found { value: self.trying, limited: self.limited });
        } else if self.confirming > CONFIRMATIONS {
            self.end = Some(self.nothing(verdict));
        } else {
            self.confirming += 1;
            self.limited = verdict != RunVerdict::Fail;
            self.trying *= 1.0 - 2.0 * self.within;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Searches where every value up to `limit` holds; returns the outcome and the number of trials.
    fn search(first: f64, top: f64, limit: f64, beyond: RunVerdict) -> (End, usize) {
        let mut search = Search::new(first, top, 0.05);
        for trials in 0..200 {
            match search.next() {
                Next::Try { value, .. } => {
                    search.learn(if value <= limit { RunVerdict::Pass } else { beyond });
                }
                Next::Done(end) => return (end, trials),
            }
        }
        panic!("the search does not end");
    }

    #[test]
    fn the_answer_is_confirmed_by_a_trial_of_its_own() {
        let mut search = Search::new(100.0, 100.0, 0.05);
        assert_eq!(search.next(), Next::Try { value: 100.0, confirms: false });
        search.learn(RunVerdict::Pass);
        assert_eq!(search.next(), Next::Try { value: 100.0, confirms: true });
        search.learn(RunVerdict::Fail);
        assert_eq!(search.next(), Next::Try { value: 90.0, confirms: true });
        search.learn(RunVerdict::Pass);
        assert_eq!(search.next(), Next::Done(End::Found { value: 90.0, limited: false }));
    }

    #[test]
    fn a_first_value_that_does_not_hold_ends_the_search() {
        let nothing = |judged| End::Nothing { value: 100.0, judged, confirms: false };
        assert_eq!(search(100.0, 1e6, 99.0, RunVerdict::Fail).0, nothing(true));
        assert_eq!(search(100.0, 1e6, 99.0, RunVerdict::Invalid).0, nothing(false));
    }

    #[test]
    fn a_value_that_only_held_for_a_short_time_is_lowered_a_few_times() {
        let confirming = |last: RunVerdict| {
            let mut search = Search::new(100.0, 100.0, 0.05);
            search.learn(RunVerdict::Pass);
            (0..CONFIRMATIONS).for_each(|_| search.learn(RunVerdict::Fail));
            search.learn(last);
            search.end
        };
        for (last, is_judged) in [(RunVerdict::Fail, true), (RunVerdict::Invalid, false)] {
            let Some(End::Nothing { value, judged, confirms: true }) = confirming(last) else {
                panic!("a value was confirmed");
            };
            assert!((65.0..66.0).contains(&value), "{value}");
            assert_eq!(judged, is_judged);
        }
    }

    #[test]
    fn a_generator_at_its_limit_marks_the_answer_as_limited() {
        let (found, _) = search(100.0, 1e9, 5_000.0, RunVerdict::Invalid);
        assert!(matches!(found, End::Found { limited: true, .. }), "{found:?}");
    }

    proptest! {
        #[test]
        fn the_answer_is_within_five_percent_below_the_limit(
            first in 1.0_f64..1e4, times in 1.0_f64..1e4
        ) {
            let limit = first * times;
            let (found, trials) = search(first, 1e12, limit, RunVerdict::Fail);
            let End::Found { value, limited: false } = found else { panic!("{found:?}") };
            prop_assert!(value <= limit && value >= limit / 1.0501, "{} of {}", value, limit);
            prop_assert!(trials < 40);
        }
    }
}
