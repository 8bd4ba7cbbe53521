use baselines::Verdict;
use baselines::sites::SiteCost;

use super::format;
use crate::model::{Comparison, ExactRow, InstructionRow, Side, SiteRow, TimingRow};
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
        ("timing", timing.state(), timing.why()),
        ("exact counts", exact.state(), exact.why()),
        ("instructions", instructions.state(), instructions.why()),
    ];
    let missing = parts.into_iter();
    missing.filter_map(|(name, state, why)| Some(MissingPart { name, state, why: why? })).collect()
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

/// The smallest change that a pass could have seen, or else the next step.
pub(super) fn last_word(comparison: &Comparison) -> String {
    let verdicts = verdicts(comparison);
    let suite = &comparison.suite;
    let any = |wanted: fn(&Verdict) -> bool| verdicts.iter().any(wanted);
    let next = match comparison.exit_code {
        0 => return format!("{}{}", notice(&verdicts), sensitivity(comparison)),
        1 if any(is_red) => {
            return format!(
                "next: fix the failed part, then compare again; and {}",
                suspect(comparison)
            );
        }
        1 => "fix the failed part, then compare again",
        3 => return format!("next: {}", suspect(comparison)),
        4 if exact(comparison).iter().any(|row| row.verdict == Verdict::Improved) => {
            return format!(
                "next: record the new counts, {suite} --update --reason \"…\", or pass --improved-ok"
            );
        }
        4 => "pass --improved-ok; timings and instructions are not recorded",
        5 if verdicts.is_empty() => {
            "measure a part; the reasons why none was measured are above, and such a comparison does not pass"
        }
        5 if any(|verdict| *verdict == Verdict::NotComparable) => {
            "choose revisions or filters that have rows in common; a part without rows does not pass"
        }
        5 => {
            "pass --new-ok if missing scenarios are new; otherwise find why head lost the stale ones"
        }
        6 if any(|verdict| *verdict == Verdict::Blind) => {
            return format!(
                "next: {suite}; no exact count can be trusted until its canaries are counted right"
            );
        }
        6 if any(|verdict| *verdict == Verdict::Nondeterministic) => {
            return format!(
                "next: run again; what did not repeat is not judged: {}",
                wavering(comparison)
            );
        }
        6 => "run again on a quieter machine, or pass --noisy-ok to accept noisy rows",
        _ => "look up the exit code with --help",
    };
    format!("next: {next}")
}

/// A notice of the verdicts that a flag accepted; empty without any.
fn notice(verdicts: &[Verdict]) -> String {
    let accepted = [
        (Verdict::TooNoisy, "too noisy to judge", "--noisy-ok"),
        (Verdict::Improved, "improved", "--improved-ok"),
        (Verdict::Missing, "without a base", "--new-ok"),
    ];
    let count = |wanted| verdicts.iter().filter(|verdict| **verdict == wanted).count();
    let accepted = accepted.map(|(verdict, words, flag)| (count(verdict), words, flag));
    let notices = accepted.into_iter().filter(|(count, ..)| *count > 0);
    notices.map(|(n, words, flag)| format!("notice: {n} {words}, accepted by {flag}; ")).collect()
}

fn is_red(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Regressed | Verdict::Leaked)
}

/// The rows whose repeats differed, and the command that shows how.
fn wavering(comparison: &Comparison) -> String {
    let wavers = |verdict| verdict == Verdict::Nondeterministic;
    let counted = exact(comparison).iter().filter(|row| wavers(row.verdict)).map(|row| &row.id);
    let mut counted = counted.peekable();
    let command = counted
        .peek()
        .map_or_else(String::new, |id| format!("; {} {id} names what differs", comparison.suite));
    let ran = instructions(comparison).iter().filter(|row| wavers(row.verdict)).map(|row| &row.id);
    let ids: Vec<&str> = counted.chain(ran).map(String::as_str).collect();
    ids.join(", ") + &command
}

/// Blocks of a site per operation that base does not have, to a tenth.
fn growth(row: &ExactRow, site: &SiteRow) -> f64 {
    let slope = |cost: Option<SiteCost>| {
        cost.map_or(0.0, |SiteCost { blocks: [once, twice], .. }| twice as f64 - once as f64)
    };
    (10.0 * (slope(site.head) - slope(site.base)) / row.ops[0].max(1) as f64).round()
}

/// The line of code, function or row that regressed. Counts come first, because they name a line.
fn suspect(comparison: &Comparison) -> String {
    let regressed = |verdict| is_red(&verdict);
    let scenarios = || exact(comparison).iter().filter(|row| regressed(row.verdict));
    let sites = scenarios().flat_map(|row| row.sites.iter().map(move |site| (row, site)));
    let named = sites.filter(|(_, site)| site.head.is_some() && site.place.is_some());
    // The first of those that grew most.
    let most = named.rev().max_by(|(a, x), (b, y)| growth(a, x).total_cmp(&growth(b, y)));
    if let Some((row, site)) = most {
        return format!("look at {} ({})", format::place(site), row.id);
    }
    let instructions = || instructions(comparison).iter().filter(|row| regressed(row.verdict));
    for row in instructions() {
        let grown = || row.functions.iter().filter(|function| function.head > function.base);
        // The function that grows most is often a copy or an allocation; its cause is in the server.
        let in_server = grown().find(|one| one.is_own);
        if let Some(function) = in_server.or_else(|| grown().next()) {
            return format!("look at {} ({})", function.name, row.id);
        }
    }
    let timings = timings(comparison).iter().filter(|row| regressed(row.verdict));
    let ids = scenarios().map(|row| &row.id).chain(instructions().map(|row| &row.id));
    let Some(id) = ids.chain(timings.map(|row| &row.id)).next() else {
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

/// `smallest change that could have been seen: any block, byte, read or write; in time 1.2 % (…) to 4.5 % (…)`.
fn sensitivity(comparison: &Comparison) -> String {
    let mut seen = Vec::new();
    if !exact(comparison).is_empty() {
        seen.push("any block, byte, read or write".to_owned());
    }
    let mut rows: Vec<_> =
        timings(comparison).iter().filter(|row| row.detectable.is_finite()).collect();
    rows.sort_by(|a, b| a.detectable.total_cmp(&b.detectable));
    let of = |row: &TimingRow| format!("{} % ({})", format::percent(row.detectable), row.id);
    match rows.as_slice() {
        [] => {}
        [only] => seen.push(format!("in time {}", of(only))),
        [best, .., worst] => seen.push(format!("in time {} to {}", of(best), of(worst))),
    }
    match seen.as_slice() {
        [] => "no row could have seen a change".to_owned(),
        seen => format!("smallest change that could have been seen: {}", seen.join("; ")),
    }
}

/// `main (3b53277)`.
pub(super) fn side(side: &Side) -> String {
    match &side.commit {
        Some(commit) if *commit != side.name => format!("{} ({commit})", side.name),
        _ => side.name.clone(),
    }
}
