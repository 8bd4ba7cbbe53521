//! All rows → one exit code. Pure.

use baselines::Verdict;
use baselines::verdict;

use super::model::{Comparison, Part};

/// Verdicts that the user accepts as a pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Accepted {
    /// Too noisy: timings whose null control moved.
    pub noisy: bool,
    /// Improved: costs that fell.
    pub improved: bool,
    /// Missing: scenarios that base does not have.
    pub new: bool,
}

/// The exit code of `baselines::verdict` over every row of every part. A part that failed counts as one failed row. A
/// part that was not measured does not count, but a comparison without any measured part has not passed.
#[must_use]
pub fn exit_code(comparison: &Comparison, accepted: Accepted) -> u8 {
    let accept = |verdict| match verdict {
        Verdict::TooNoisy if accepted.noisy => Verdict::Pass,
        Verdict::Improved if accepted.improved => Verdict::Pass,
        Verdict::Missing if accepted.new => Verdict::Pass,
        other => other,
    };
    verdict::exit_code(verdicts(comparison).into_iter().map(accept))
}

/// The verdict of every row.
#[must_use]
pub fn verdicts(comparison: &Comparison) -> Vec<Verdict> {
    let Comparison { timing, exact, instructions, .. } = comparison;
    let timing = of(timing, |timing| timing.rows.iter().map(|row| row.verdict).collect());
    let exact = of(exact, |rows| rows.iter().map(|row| row.verdict).collect());
    let instructions = of(instructions, |rows| rows.iter().map(|row| row.verdict).collect());
    [timing, exact, instructions].concat()
}

fn of<T>(part: &Part<T>, rows: impl Fn(&T) -> Vec<Verdict>) -> Vec<Verdict> {
    match part {
        Part::Measured(measured) => {
            let rows = rows(measured);
            // Without rows there was nothing to compare.
            if rows.is_empty() { vec![Verdict::NotComparable] } else { rows }
        }
        Part::NotMeasured(_) => Vec::new(),
        Part::Failed(_) => vec![Verdict::Failed],
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::{InstructionRow, Side};
    use super::*;

    fn comparison(verdicts: &[Verdict]) -> Comparison {
        let row = |verdict: &Verdict| InstructionRow {
            id: "echo".to_owned(),
            unit: "message".to_owned(),
            base: None,
            head: None,
            functions: Vec::new(),
            verdict: *verdict,
        };
        let side = |name: &str| Side { name: name.to_owned(), commit: None };
        Comparison {
            base: side("main"),
            head: side("working tree"),
            timing: Part::NotMeasured("left out".to_owned()),
            exact: Part::NotMeasured("left out".to_owned()),
            instructions: Part::Measured(verdicts.iter().map(row).collect()),
            exit_code: 1,
        }
    }

    #[test]
    fn a_comparison_without_rows_never_passes() {
        let mut nothing = comparison(&[]);
        assert_eq!(exit_code(&nothing, Accepted::default()), 5);
        nothing.instructions = Part::NotMeasured("install valgrind".to_owned());
        assert_eq!(exit_code(&nothing, Accepted::default()), 5);
    }

    #[test]
    fn a_part_that_failed_outranks_a_regression() {
        let mut failed = comparison(&[Verdict::Regressed]);
        failed.timing = Part::Failed("head ended in the middle".to_owned());
        assert_eq!(exit_code(&failed, Accepted::default()), 1);
    }

    #[test]
    fn an_accepted_verdict_does_not_hide_the_others() {
        let all = Accepted { noisy: true, improved: true, new: true };
        for (verdict, code) in
            [(Verdict::TooNoisy, 6), (Verdict::Improved, 4), (Verdict::Missing, 5)]
        {
            let one = comparison(&[verdict, Verdict::Pass]);
            assert_eq!(exit_code(&one, Accepted::default()), code);
            assert_eq!(exit_code(&one, all), 0);
            assert_eq!(exit_code(&comparison(&[verdict, Verdict::Regressed]), all), 3);
        }
        assert_eq!(exit_code(&comparison(&[Verdict::Stale]), all), 5);
    }
}
