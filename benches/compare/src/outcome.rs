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

/// Codes of parts, least urgent first. As `baselines::verdict` ranks verdicts, with one difference: a part that cannot be
/// trusted does not hide what another instrument found.
const URGENCY: [u8; 6] = [0, 4, 5, 6, 3, 1];

/// The most urgent code of all parts. A part that failed counts as one failed row. A part that was not measured does not
/// count, but a comparison without any measured part has not passed.
#[must_use]
pub fn exit_code(comparison: &Comparison, accepted: Accepted) -> u8 {
    let accept = |verdict| match verdict {
        Verdict::TooNoisy if accepted.noisy => Verdict::Pass,
        Verdict::Improved if accepted.improved => Verdict::Pass,
        Verdict::Missing if accepted.new => Verdict::Pass,
        other => other,
    };
    let codes = parts(comparison)
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| verdict::exit_code(part.into_iter().map(accept)));
    most_urgent(codes)
}

/// The code that decides; that of an empty comparison if there is none.
#[must_use]
pub fn most_urgent(codes: impl IntoIterator<Item = u8>) -> u8 {
    let urgency = |code: &u8| URGENCY.iter().position(|other| other == code);
    codes.into_iter().max_by_key(urgency).unwrap_or_else(|| verdict::exit_code([]))
}

/// The verdict of every row.
#[must_use]
pub fn verdicts(comparison: &Comparison) -> Vec<Verdict> {
    parts(comparison).concat()
}

/// The verdicts of timings, of exact counts and of instructions.
#[must_use]
pub fn parts(comparison: &Comparison) -> [Vec<Verdict>; 3] {
    let Comparison { timing, exact, instructions, .. } = comparison;
    [
        of(timing, |timing| timing.rows.iter().map(|row| row.verdict).collect()),
        of(exact, |rows| rows.iter().map(|row| row.verdict).collect()),
        of(instructions, |rows| rows.iter().map(|row| row.verdict).collect()),
    ]
}

fn of<T>(part: &Part<T>, rows: impl Fn(&T) -> Vec<Verdict>) -> Vec<Verdict> {
    match part {
        Part::Measured(measured) => {
            let rows = rows(measured);
            // Without rows there was nothing to compare.
            if rows.is_empty() { vec![Verdict::NotComparable] } else { rows }
        }
        Part::NotMeasured(_) | Part::Inapplicable => Vec::new(),
        Part::Failed(_) => vec![Verdict::Failed],
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::{ExactRow, InstructionRow, Side};
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
        let side = |name: &str| Side { name: name.to_owned(), commit: None, title: None };
        Comparison {
            base: side("main"),
            head: side("working tree"),
            timing: Part::NotMeasured("left out".to_owned()),
            exact: Part::NotMeasured("left out".to_owned()),
            instructions: Part::Measured(verdicts.iter().map(row).collect()),
            exit_code: 1,
            provenance: Default::default(),
            suite: String::new(),
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
    fn a_row_that_wavers_does_not_outrank_a_regression() {
        let mut wavering = comparison(&[Verdict::Nondeterministic, Verdict::Pass]);
        assert_eq!(exit_code(&wavering, Accepted::default()), 6);
        wavering = comparison(&[Verdict::Nondeterministic, Verdict::Regressed]);
        assert_eq!(exit_code(&wavering, Accepted::default()), 3);
    }

    #[test]
    fn a_blind_instrument_hides_its_own_findings_and_not_those_of_another() {
        let exact = |verdict| ExactRow {
            id: "echo".to_owned(),
            verdict,
            unit: "message".to_owned(),
            ops: [1000, 2000],
            base: None,
            head: None,
            changes: Vec::new(),
            sites: Vec::new(),
            notes: Vec::new(),
        };
        let blind = Part::Measured([Verdict::Blind, Verdict::Regressed].map(exact).to_vec());
        for (other, code) in [(Verdict::Pass, 6), (Verdict::Regressed, 3), (Verdict::Failed, 1)] {
            let all = Comparison { exact: blind.clone(), ..comparison(&[other]) };
            assert_eq!(exit_code(&all, Accepted::default()), code, "{other:?}");
        }
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
