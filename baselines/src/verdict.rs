//! The eleven outcomes of a comparison and the exit codes that they end a process with.

use serde::{Deserialize, Serialize};

/// The outcome for one scenario or benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Exactly what was recorded, or within its tolerance.
    Pass,
    /// Costs more than recorded.
    Regressed,
    /// Costs less than recorded: record it, or the next regression hides in the difference.
    Improved,
    /// Something was still alive after the run. A law, judged without any baseline.
    Leaked,
    /// Measured, but nothing is recorded to compare with.
    Missing,
    /// Recorded, but nothing measures it any more.
    Stale,
    /// Repeats of one scenario disagreed with each other.
    Nondeterministic,
    /// A canary read wrong: the instrument does not see what it should.
    Blind,
    /// The null control moved: a timing of this row says nothing today.
    #[serde(rename = "too noisy")]
    TooNoisy,
    /// Recorded under other conditions (schema, operations, metrics), so the numbers do not bear on each other.
    #[serde(rename = "not comparable")]
    NotComparable,
    /// The tool or its environment failed before there was a measurement.
    Failed,
}

impl Verdict {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 11] = [
        Self::Pass,
        Self::Regressed,
        Self::Improved,
        Self::Leaked,
        Self::Missing,
        Self::Stale,
        Self::Nondeterministic,
        Self::Blind,
        Self::TooNoisy,
        Self::NotComparable,
        Self::Failed,
    ];

    /// The word that reports print, in tables and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Regressed => "regressed",
            Self::Improved => "improved",
            Self::Leaked => "leaked",
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::Nondeterministic => "nondeterministic",
            Self::Blind => "blind",
            Self::TooNoisy => "too noisy",
            Self::NotComparable => "not comparable",
            Self::Failed => "failed",
        }
    }

    /// The exit code of a run with this verdict alone. 2 is absent: it belongs to wrong usage.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Failed => 1,
            Self::Regressed | Self::Leaked => 3,
            Self::Improved => 4,
            Self::Missing | Self::Stale | Self::NotComparable => NOTHING_TO_COMPARE,
            Self::Nondeterministic | Self::Blind | Self::TooNoisy => 6,
        }
    }

    /// How early this verdict is heard among several; see [`exit_code`] for the reasons.
    fn rank(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Improved => 1,
            Self::Missing | Self::Stale | Self::NotComparable => 2,
            Self::TooNoisy => 3,
            Self::Regressed | Self::Leaked => 4,
            Self::Failed => 5,
            Self::Nondeterministic | Self::Blind => 6,
        }
    }
}

/// The exit code of a run with many verdicts: the code of what has to be dealt with first, whatever their order.
///
/// | first | code | because |
/// | --- | --- | --- |
/// | blind, nondeterministic | 6 | the same instrument took the other numbers: none of them is worth acting on yet |
/// | failed | 1 | part of the run is unknown, and a known regression must not make that look like the whole answer |
/// | regressed, leaked | 3 | a fact about the code, which no edit of a baseline answers |
/// | too noisy | 6 | this row alone says nothing: the others, and the exact counts, have their own control |
/// | missing, stale, not comparable | 5 | the baseline is at fault; recording settles it, so it never covers a regression |
/// | improved | 4 | good news, only not written down |
/// | pass | 0 | all of them passed |
///
/// No verdict at all is 5, never 0: a run that compared nothing has not passed.
pub fn exit_code(verdicts: impl IntoIterator<Item = Verdict>) -> u8 {
    verdicts
        .into_iter()
        .max_by_key(|verdict| verdict.rank())
        .map_or(NOTHING_TO_COMPARE, Verdict::exit_code)
}

const NOTHING_TO_COMPARE: u8 = 5;

#[cfg(test)]
mod tests {
    use super::{Verdict::*, *};

    #[track_caller]
    fn check(verdicts: &[Verdict], code: u8) {
        assert_eq!(exit_code(verdicts.iter().copied()), code, "{verdicts:?}");
        assert_eq!(exit_code(verdicts.iter().rev().copied()), code, "{verdicts:?} reversed");
    }

    #[test]
    fn a_run_without_samples_is_not_green() {
        check(&[], 5);
    }

    #[test]
    fn only_passes_pass() {
        check(&[Pass, Pass], 0);
        for verdict in Verdict::ALL {
            assert_eq!(verdict.exit_code() == 0, verdict == Pass, "{verdict:?}");
        }
    }

    #[test]
    fn what_has_to_be_dealt_with_first_decides() {
        check(&[Blind, Failed, Regressed, Missing, Improved, Pass], 6);
        check(&[Nondeterministic, Leaked], 6);
        check(&[Failed, Regressed, Stale, Pass], 1);
        check(&[Leaked, NotComparable, Improved], 3);
        check(&[Regressed, Missing], 3);
        check(&[Stale, Improved, Pass], 5);
        check(&[Improved, Pass], 4);
    }

    #[test]
    fn a_noisy_row_does_not_cover_a_regression_of_another() {
        check(&[TooNoisy, Regressed, Pass], 3);
        check(&[TooNoisy, Missing, Improved, Pass], 6);
    }

    #[test]
    fn json_and_reports_use_the_same_words() {
        for verdict in Verdict::ALL {
            let json = serde_json::to_value(verdict).unwrap();
            assert_eq!(json, verdict.as_str(), "{verdict:?}");
        }
    }

    #[test]
    fn equal_ranks_have_equal_codes_and_the_words_differ() {
        for a in Verdict::ALL {
            for b in Verdict::ALL {
                assert!(a.rank() != b.rank() || a.exit_code() == b.exit_code(), "{a:?} {b:?}");
                assert_eq!(a.as_str() == b.as_str(), a == b, "{a:?} {b:?}");
            }
        }
    }
}
