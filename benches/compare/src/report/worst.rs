use baselines::Verdict;

use super::{format, summary, times};
use crate::model::{Comparison, ExactRow, InstructionRow, SiteRow, TimingRow};

/// The rows that are farthest from a pass, one of each part: changes that went one way.
pub(super) struct Worst<'a> {
    exact: Option<(&'a ExactRow, Option<&'a SiteRow>)>,
    instructions: Option<&'a InstructionRow>,
    timing: Option<&'a TimingRow>,
}

impl<'a> Worst<'a> {
    /// Those among the rows that regressed or leaked.
    pub(super) fn red(comparison: &'a Comparison) -> Self {
        let scenarios =
            summary::exact(comparison).iter().filter(|row| summary::is_red(row.verdict));
        let named = scenarios.clone().filter_map(|row| Some((row, format::culprit(row)?)));
        let growth = |(row, site): &(&ExactRow, &SiteRow)| format::growth(row, site);
        // The first of those that grew most, as in the others.
        let site = named.rev().max_by(|a, b| growth(a).total_cmp(&growth(b)));
        let row = || scenarios.rev().max_by(|a, b| change(a).total_cmp(&change(b)));
        let exact = site.map(|(row, site)| (row, Some(site)));
        let instructions = summary::instructions(comparison).iter();
        let timings = summary::timings(comparison).iter();
        Self {
            exact: exact.or_else(|| row().map(|row| (row, None))),
            instructions: instructions
                .filter(|row| summary::is_red(row.verdict))
                .rev()
                .max_by(|a, b| share(a).total_cmp(&share(b))),
            timing: timings
                .filter(|row| summary::is_red(row.verdict))
                .rev()
                .max_by(|a, b| severity(a).total_cmp(&severity(b))),
        }
    }

    /// A line for each part, with its numbers.
    pub(super) fn lines(&self) -> Vec<String> {
        let exact = self.exact.map(|(row, _)| format!("{}: {}", row.id, format::reason(row)));
        let instructions =
            self.instructions.map(|row| format!("{}: {}", row.id, format::instructions(row)));
        let timing = self.timing.map(|row| {
            let [base, head, change, ..] = times::cells(row);
            format!("{}: {} {base} → {head}, {change} %", row.id, times::unit(row.unit))
        });
        [exact, instructions, timing].into_iter().flatten().collect()
    }

    /// The line of code, function or row to look at. Counts come first, because they name a line.
    pub(super) fn suspect(&self, comparison: &Comparison) -> String {
        if let Some((row, Some(site))) = self.exact {
            return format!("look at {} ({})", format::place(site), row.id);
        }
        if let Some(row) = self.instructions {
            let grown = || row.functions.iter().filter(|function| function.head > function.base);
            // The function that grows most is often a copy or an allocation; its cause is in the server.
            let in_server = grown().find(|one| one.is_own);
            if let Some(function) = in_server.or_else(|| grown().next()) {
                return format!("look at {} ({})", function.name, row.id);
            }
        }
        let ids = [
            self.exact.map(|(row, _)| &row.id),
            self.instructions.map(|row| &row.id),
            self.timing.map(|row| &row.id),
        ];
        let Some(id) = ids.into_iter().flatten().next() else {
            return "look at the regressed rows above".to_owned();
        };
        match (&comparison.base.commit, &comparison.head.commit) {
            (Some(base), None) => format!("git diff {base}, and look for changes that affect {id}"),
            (Some(base), Some(head)) => {
                format!("git diff {base} {head}, and look for changes that affect {id}")
            }
            _ => format!("look for changes that affect {id}"),
        }
    }
}

/// The largest growth of a cost of an operation; that of a leak, and of a scenario without counts, is infinite.
fn change(row: &ExactRow) -> f64 {
    if row.verdict == Verdict::Leaked {
        return f64::INFINITY;
    }
    let growth = format::figures(row).into_iter().map(|(_, base, head)| Some(head? - base?));
    growth.flatten().reduce(f64::max).unwrap_or(f64::INFINITY)
}

/// How much larger head's count is.
fn share(row: &InstructionRow) -> f64 {
    match (row.base, row.head) {
        (Some(base), Some(head)) => head / base,
        _ => f64::INFINITY,
    }
}

/// The change in units of the smallest one that the row could have seen: a large change of a row that scatters may be less
/// than a small one of a row that does not.
fn severity(row: &TimingRow) -> f64 {
    let severity = row.effect.ln_1p() / row.detectable.ln_1p();
    if severity.is_finite() { severity } else { 0.0 }
}
