//! The highest value that holds: doubling, bisection, confirmation. Pure: trials are somebody else's.

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Try this value; `confirms` asks for a long and fresh run.
    Try {
        /// What to try.
        value: f64,
        /// It is the answer if it holds.
        confirms: bool,
    },
    /// The answer. `limited` if beyond it nothing could be known.
    Found {
        /// The highest value that was confirmed.
        value: f64,
        /// The first value that did not hold was invalid, not violated.
        limited: bool,
    },
    /// Not even the first value held.
    Nothing,
}

/// What became of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// The thresholds held.
    Held,
    /// They did not.
    Broke,
    /// Nobody knows: the generator was the bottleneck.
    Invalid,
}

/// Confirmations that may fail before a search gives up its answer.
const CONFIRMATIONS: u32 = 4;

/// A search under way.
#[derive(Clone, Debug)]
pub struct Search {
    low: Option<f64>,
    high: Option<f64>,
    limited: bool,
    top: f64,
    within: f64,
    trying: f64,
    confirming: u32,
    outcome: Option<Next>,
}

impl Search {
    /// From `first` up, not beyond `top`, to `within` (a share) of the answer.
    #[must_use]
    pub fn new(first: f64, top: f64, within: f64) -> Self {
        let (low, high, outcome) = (None, None, None);
        Self { low, high, limited: false, top, within, trying: first, confirming: 0, outcome }
    }

    /// What is to be done.
    #[must_use]
    pub fn next(&self) -> Next {
        self.outcome.unwrap_or(Next::Try { value: self.trying, confirms: self.confirming > 0 })
    }

    /// What became of it.
    pub fn learn(&mut self, trial: Trial) {
        if self.confirming > 0 {
            self.confirm(trial);
            return;
        }
        if trial == Trial::Held {
            self.low = Some(self.trying);
        } else {
            self.high = Some(self.trying);
            self.limited = trial == Trial::Invalid;
        }
        match (self.low, self.high) {
            (None, _) => self.outcome = Some(Next::Nothing),
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

    /// A short trial may have been lucky: what a long one breaks is lowered step by step.
    fn confirm(&mut self, trial: Trial) {
        if trial == Trial::Held {
            self.outcome = Some(Next::Found { value: self.trying, limited: self.limited });
        } else if self.confirming > CONFIRMATIONS {
            self.outcome = Some(Next::Nothing);
        } else {
            self.confirming += 1;
            self.limited = trial == Trial::Invalid;
            self.trying *= 1.0 - 2.0 * self.within;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Searches where everything up to `limit` holds; the outcome, and how many trials it took.
    fn search(first: f64, top: f64, limit: f64, beyond: Trial) -> (Next, usize) {
        let mut search = Search::new(first, top, 0.05);
        for trials in 0..200 {
            match search.next() {
                Next::Try { value, .. } => {
                    search.learn(if value <= limit { Trial::Held } else { beyond });
                }
                done => return (done, trials),
            }
        }
        panic!("it does not end");
    }

    #[test]
    fn the_answer_is_confirmed_by_a_trial_of_its_own() {
        let mut search = Search::new(100.0, 100.0, 0.05);
        assert_eq!(search.next(), Next::Try { value: 100.0, confirms: false });
        search.learn(Trial::Held);
        assert_eq!(search.next(), Next::Try { value: 100.0, confirms: true });
        search.learn(Trial::Broke);
        assert_eq!(search.next(), Next::Try { value: 90.0, confirms: true });
        search.learn(Trial::Held);
        assert_eq!(search.next(), Next::Found { value: 90.0, limited: false });
    }

    #[test]
    fn what_never_holds_is_nothing() {
        assert_eq!(search(100.0, 1e6, 99.0, Trial::Broke).0, Next::Nothing);
    }

    #[test]
    fn a_generator_that_gives_out_first_is_said() {
        let (found, _) = search(100.0, 1e9, 5_000.0, Trial::Invalid);
        assert!(matches!(found, Next::Found { limited: true, .. }), "{found:?}");
    }

    proptest! {
        #[test]
        fn the_answer_is_within_five_percent_below_the_limit(
            first in 1.0_f64..1e4, times in 1.0_f64..1e4
        ) {
            let limit = first * times;
            let (found, trials) = search(first, 1e12, limit, Trial::Broke);
            let Next::Found { value, limited: false } = found else { panic!("{found:?}") };
            prop_assert!(value <= limit && value >= limit / 1.0501, "{} of {}", value, limit);
            prop_assert!(trials < 40);
        }
    }
}
