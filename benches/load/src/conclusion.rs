//! What a search ends with: words, and a verdict for the exit code. Pure.

use crate::search::End;
use crate::validator::{Assessment, RunVerdict};
use load_plan::units::count;

/// Why a trial did not pass.
#[derive(Clone, Debug)]
pub struct Why {
    /// The first reason, and what to do; empty if it passed.
    pub words: String,
    /// Whether the generator or its machine was at its limit.
    pub at_limit: bool,
}

impl Why {
    /// Why the verdict of `assessment` is not a pass.
    #[must_use]
    pub fn of(assessment: &Assessment) -> Self {
        let words = assessment.reasons.first().cloned().unwrap_or_default();
        Self { words, at_limit: assessment.generator_was_the_limit() }
    }
}

/// The answer of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// For the exit code: a pass if a value was found, and nothing but the target kept it from being higher.
    pub verdict: RunVerdict,
    /// A word or two that begin the answer.
    pub head: &'static str,
    /// The answer.
    pub words: String,
}

/// The answer of a search that went up to `top` of `what`. `unjudged` is why the last invalid trial was invalid, if there was
/// one.
#[must_use]
pub fn conclude(end: End, what: &str, top: f64, unjudged: Option<&Why>) -> Conclusion {
    let of = |value: f64| format!("{} {what}", count(value.round()));
    let lower = |flag: &str, value: f64| format!("try {flag} {:.0}", (value / 10.0).max(1.0));
    let why = || match unjudged {
        None => String::new(),
        Some(Why { words, at_limit: true }) => {
            format!(": the generator or this machine was at its limit, not the target: {words}")
        }
        Some(Why { words, at_limit: false }) => format!(": {words}"),
    };
    let (verdict, head, words) = match end {
        End::Found { value, limited: true } => {
            let words = format!("{} hold; more could not be judged{}", of(value), why());
            (RunVerdict::Invalid, "AT LEAST", words)
        }
        End::Found { value, limited: false } => {
            let more = if value >= top { "; higher values were not tried (--to)" } else { "" };
            (RunVerdict::Pass, "FOUND", format!("{} hold{more}", of(value)))
        }
        End::Nothing { value, judged: false, confirms } => {
            let is_short = unjudged.is_some_and(|why| !why.at_limit);
            let cure = match (is_short, confirms) {
                (true, false) => "give a longer --trial".to_owned(),
                // It was as long as the profile says.
                (true, true) => "give the profile a longer hold".to_owned(),
                (false, false) => lower("--from", value),
                // From a lower value, the search would come to this one again.
                (false, true) => lower("--to", value),
            };
            let words = format!("{} could not be judged{}; or {cure}", of(value), why());
            (RunVerdict::Invalid, "INVALID", words)
        }
        End::Nothing { value, judged: true, confirms: false } => {
            let words = format!("{} do not hold; {}", of(value), lower("--from", value));
            (RunVerdict::Fail, "FAIL", words)
        }
        End::Nothing { value, judged: true, confirms: true } => {
            let words = "do not hold, although more did in a short trial; give a longer --trial";
            (RunVerdict::Fail, "FAIL", format!("{} {words}", of(value)))
        }
    };
    Conclusion { verdict, head, words }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late(at_limit: bool) -> Option<Why> {
        Some(Why { words: "it was late; use another machine".to_owned(), at_limit })
    }

    #[track_caller]
    fn check(end: End, unjudged: Option<Why>, verdict: RunVerdict, said: &str) {
        let Conclusion { verdict: concluded, head, words } =
            conclude(end, "messages/s", 2_000.0, unjudged.as_ref());
        assert_eq!((concluded, format!("{head}: {words}")), (verdict, said.to_owned()));
    }

    #[test]
    fn a_value_that_was_not_judged_is_not_said_to_fail() {
        check(
            End::Nothing { value: 1_000.0, judged: false, confirms: false },
            late(true),
            RunVerdict::Invalid,
            "INVALID: 1,000 messages/s could not be judged: the generator or this machine was at its limit, not the target: it was \
             late; use another machine; or try --from 100",
        );
        let end = |confirms| End::Nothing { value: 10.0, judged: false, confirms };
        let words = "INVALID: 10 messages/s could not be judged: it was late; use another machine; or give a longer --trial";
        check(end(false), late(false), RunVerdict::Invalid, words);
    }

    #[test]
    fn a_confirmation_is_not_said_to_depend_on_the_length_of_trials_or_the_first_value() {
        let end = |judged| End::Nothing { value: 1_000.0, judged, confirms: true };
        let words = "INVALID: 1,000 messages/s could not be judged: it was late; use another machine; or give the profile a \
                     longer hold";
        check(end(false), late(false), RunVerdict::Invalid, words);
        let words = "INVALID: 1,000 messages/s could not be judged: the generator or this machine was at its limit, not the \
                     target: it was late; use another machine; or try --to 100";
        check(end(false), late(true), RunVerdict::Invalid, words);
        let words = "FAIL: 1,000 messages/s do not hold, although more did in a short trial; give a longer --trial";
        check(end(true), None, RunVerdict::Fail, words);
    }

    #[test]
    fn a_value_that_the_target_did_not_hold_is_a_failure() {
        let end = || End::Nothing { value: 1_000.0, judged: true, confirms: false };
        let words = "FAIL: 1,000 messages/s do not hold; try --from 100";
        check(end(), None, RunVerdict::Fail, words);
        // An earlier trial could not be judged; the last one was.
        check(end(), late(true), RunVerdict::Fail, words);
    }

    #[test]
    fn an_answer_says_what_kept_it_from_being_higher() {
        let found = |value, limited| End::Found { value, limited };
        check(found(1_500.4, false), None, RunVerdict::Pass, "FOUND: 1,500 messages/s hold");
        let words = "FOUND: 2,000 messages/s hold; higher values were not tried (--to)";
        check(found(2_000.0, false), None, RunVerdict::Pass, words);
        let words = "AT LEAST: 1,500 messages/s hold; more could not be judged: the generator or this machine was at its limit, not the \
                     target: it was late; use another machine";
        check(found(1_500.0, true), late(true), RunVerdict::Invalid, words);
    }
}
