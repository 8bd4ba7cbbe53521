use baselines::Verdict;

use crate::model::{Comparison, ExactRow, InstructionRow, Side, TimingRow};
use crate::outcome::verdicts;

/// A part without results.
pub(super) struct MissingPart<'a> {
    pub(super) name: &'static str,
    /// `not measured` or `failed`.
    pub(super) state: &'static str,
    pub(super) why: &'a str,
}

pub(super) fn missing_parts(comparison: &Comparison) -> Vec<MissingPart<'_>> {
    let Comparison { timing, exact, instructions, .. } = comparison;
    let parts = [
        ("timing", timing.is_shown(), timing.state(), timing.why()),
        ("exact counts", exact.is_shown(), exact.state(), exact.why()),
        ("instructions", instructions.is_shown(), instructions.state(), instructions.why()),
    ];
    let missing = parts.into_iter().filter(|(_, is_shown, ..)| *is_shown);
    missing
        .filter_map(|(name, _, state, why)| Some(MissingPart { name, state, why: why? }))
        .collect()
}

/// The rows of each part; none if it was not measured.
pub(super) fn timings(comparison: &Comparison) -> &[TimingRow] {
    comparison.timing.measured().map_or(&[], |timing| &timing.rows)
}

pub(super) fn exact(comparison: &Comparison) -> &[ExactRow] {
    comparison.exact.measured().map_or(&[], Vec::as_slice)
}

pub(super) fn instructions(comparison: &Comparison) -> &[InstructionRow] {
    comparison.instructions.measured().map_or(&[], Vec::as_slice)
}

/// The verdicts that occur, with their number, in the order of [`Verdict::ALL`].
pub(super) fn counts(comparison: &Comparison) -> Vec<(Verdict, usize)> {
    let verdicts = verdicts(comparison);
    let count = |verdict| verdicts.iter().filter(|found| **found == verdict).count();
    Verdict::ALL.iter().map(|verdict| (*verdict, count(*verdict))).filter(|(_, n)| *n > 0).collect()
}

/// `41 pass, 1 regressed; not measured: instructions`.
pub(super) fn summary(comparison: &Comparison) -> String {
    let counts: Vec<_> = counts(comparison)
        .into_iter()
        .map(|(verdict, count)| format!("{count} {}", verdict.as_str()))
        .collect();
    let mut text =
        if counts.is_empty() { "nothing was compared".to_owned() } else { counts.join(", ") };
    let absent = missing_parts(comparison);
    let absent: Vec<_> = absent.iter().filter(|part| part.state == "not measured").collect();
    if !absent.is_empty() {
        let names: Vec<_> = absent.iter().map(|part| part.name).collect();
        text += &format!("; not measured: {}", names.join(", "));
    }
    text
}

/// The order of rows in a report: most urgent first.
pub(super) fn urgency(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Regressed | Verdict::Leaked => 0,
        Verdict::Failed | Verdict::Blind | Verdict::Nondeterministic => 1,
        Verdict::Missing | Verdict::Stale | Verdict::NotComparable => 2,
        Verdict::TooNoisy => 3,
        Verdict::Improved => 4,
        Verdict::Pass => 5,
    }
}

/// Whether a scenario is equal to the block and the byte, and has no notes.
pub(super) fn is_equal(row: &ExactRow) -> bool {
    row.verdict == Verdict::Pass
        && row.base.is_some()
        && row.base == row.head
        && row.changes.is_empty()
        && row.notes.is_empty()
}

/// Whether the code is at fault, whatever else was found.
pub(super) fn is_red(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Regressed | Verdict::Leaked)
}

/// `main (3b53277)`.
pub(super) fn side(side: &Side) -> String {
    match &side.commit {
        Some(commit) if *commit != side.name => format!("{} ({commit})", side.name),
        _ => side.name.clone(),
    }
}
