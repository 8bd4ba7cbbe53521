//! The verdicts of a comparison and their exit codes.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// The verdict on one scenario or benchmark.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Verdict {
    /// Equal to the recorded numbers, or within the tolerance.
    Pass,
    /// Costs more than recorded.
    Regressed,
    /// Costs less than recorded. Record it, because the difference would hide the next regression.
    Improved,
    /// Something was still alive after the run; needs no baseline.
    Leaked,
    /// Measured, but not recorded.
    Missing,
    /// Recorded, but no longer measured.
    Stale,
    /// Repeats of one scenario differed.
    Nondeterministic,
    /// A canary was counted wrong: the instrument does not work.
    Blind,
    /// The timings of this row show no clear change and could have missed one: the null control changed as well, or they
    /// scatter too much.
    #[serde(rename = "too noisy")]
    #[strum(serialize = "too noisy")]
    TooNoisy,
    /// Recorded under other conditions (schema, operations, metrics).
    #[serde(rename = "not comparable")]
    #[strum(serialize = "not comparable")]
    NotComparable,
    /// The tool or its environment failed before there was a measurement.
    Failed,
}

impl Verdict {
    /// All verdicts, in the order of their declaration.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The word that reports print, in tables and in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The exit code of a run with only this verdict. 2 is missing because it means wrong usage.
    pub fn exit_code(self) -> u8 {
        self.urgency().1
    }

    /// Precedence among several verdicts, highest first, and the exit code; see [`exit_code`] for the reasons.
    fn urgency(self) -> (u8, u8) {
        match self {
            Self::Pass => (0, 0),
            Self::Improved => (1, 4),
            Self::Missing | Self::Stale | Self::NotComparable => (2, NOTHING_TO_COMPARE),
            Self::TooNoisy | Self::Nondeterministic => (3, 6),
            Self::Regressed | Self::Leaked => (4, 3),
            Self::Failed => (5, 1),
            Self::Blind => (6, 6),
        }
    }
}

/// The exit code of a run with many verdicts, in any order: the code of the most urgent one.
///
/// | first | code | because |
/// | --- | --- | --- |
/// | blind | 6 | the other numbers come from the same instrument and cannot be trusted |
/// | failed | 1 | part of the run is unknown, so a known regression is not the whole answer |
/// | regressed, leaked | 3 | a fact about the code; recording does not fix it |
/// | too noisy, nondeterministic | 6 | only this row means nothing: the others repeat, or have their own control |
/// | missing, stale, not comparable | 5 | the baseline is wrong, and recording fixes it |
/// | improved | 4 | good news that is not recorded |
/// | pass | 0 | all passed |
///
/// Without any verdict the code is 5: a run that compared nothing has not passed.
pub fn exit_code(verdicts: impl IntoIterator<Item = Verdict>) -> u8 {
    verdicts.into_iter().map(Verdict::urgency).max().map_or(NOTHING_TO_COMPARE, |(_, code)| code)
}

const NOTHING_TO_COMPARE: u8 = 5;

/// A change that a row must be able to see to pass, in thresholds or tolerances: a row that could have missed it is
/// [`Verdict::TooNoisy`].
pub const BLIND_FROM: f64 = 3.0;

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
        for verdict in Verdict::ALL.iter().copied() {
            assert_eq!(verdict.exit_code() == 0, verdict == Pass, "{verdict:?}");
        }
    }

    #[test]
    fn the_most_urgent_verdict_decides() {
        check(&[Blind, Failed, Regressed, Missing, Improved, Pass], 6);
        check(&[Failed, Regressed, Stale, Pass], 1);
        check(&[Leaked, NotComparable, Improved], 3);
        check(&[Regressed, Missing], 3);
        check(&[Stale, Improved, Pass], 5);
        check(&[Improved, Pass], 4);
    }

    #[test]
    fn a_row_without_a_verdict_does_not_hide_the_regression_of_another() {
        check(&[TooNoisy, Regressed, Pass], 3);
        check(&[Nondeterministic, Regressed], 3);
        check(&[Nondeterministic, Leaked, Pass], 3);
        check(&[Nondeterministic, Missing, Pass], 6);
        check(&[TooNoisy, Missing, Improved, Pass], 6);
    }

    #[test]
    fn json_and_reports_use_the_same_words() {
        for verdict in Verdict::ALL.iter().copied() {
            let json = serde_json::to_value(verdict).unwrap();
            assert_eq!(json, verdict.as_str(), "{verdict:?}");
        }
    }

    #[test]
    fn equal_ranks_have_equal_codes_and_the_words_differ() {
        for a in Verdict::ALL.iter().copied() {
            for b in Verdict::ALL.iter().copied() {
                assert!(
                    a.urgency().0 != b.urgency().0 || a.exit_code() == b.exit_code(),
                    "{a:?} {b:?}"
                );
                assert_eq!(a.as_str() == b.as_str(), a == b, "{a:?} {b:?}");
            }
        }
    }
}
