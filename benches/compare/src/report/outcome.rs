use baselines::Verdict;

use super::words;
use crate::model::{Comparison, ExactRow, InstructionRow, Part, Side, TimingRow};
use crate::outcome::verdicts;

/// The three parts with their names, without what was measured: what they are called and why they are not there.
pub(super) fn parts(comparison: &Comparison) -> [(&'static str, Part<()>); 3] {
    [
        ("timing", bare(&comparison.timing)),
        ("exact counts", bare(&comparison.exact)),
        ("instructions", bare(&comparison.instructions)),
    ]
}

fn bare<T>(part: &Part<T>) -> Part<()> {
    match part {
        Part::Measured(_) => Part::Measured(()),
        Part::NotMeasured(why) => Part::NotMeasured(why.clone()),
        Part::Failed(why) => Part::Failed(why.clone()),
    }
}

/// What was measured, and nothing where nothing was.
pub(super) fn timings(comparison: &Comparison) -> &[TimingRow] {
    measured(&comparison.timing).map_or(&[], |timing| &timing.rows)
}

pub(super) fn exact(comparison: &Comparison) -> &[ExactRow] {
    measured(&comparison.exact).map_or(&[], Vec::as_slice)
}

pub(super) fn instructions(comparison: &Comparison) -> &[InstructionRow] {
    measured(&comparison.instructions).map_or(&[], Vec::as_slice)
}

pub(super) fn measured<T>(part: &Part<T>) -> Option<&T> {
    match part {
        Part::Measured(data) => Some(data),
        Part::NotMeasured(_) | Part::Failed(_) => None,
    }
}

/// Those that occur and how often, in the order in which verdicts are declared.
pub(super) fn counts(comparison: &Comparison) -> Vec<(Verdict, usize)> {
    let verdicts = verdicts(comparison);
    let count = |verdict| verdicts.iter().filter(|found| **found == verdict).count();
    Verdict::ALL
        .into_iter()
        .map(|verdict| (verdict, count(verdict)))
        .filter(|(_, n)| *n > 0)
        .collect()
}

/// `41 pass, 1 regressed; not measured: instructions`.
pub(super) fn summary(comparison: &Comparison) -> String {
    let counts: Vec<_> = counts(comparison)
        .into_iter()
        .map(|(verdict, count)| format!("{count} {}", verdict.as_str()))
        .collect();
    let mut text =
        if counts.is_empty() { "nothing was compared".to_owned() } else { counts.join(", ") };
    let absent: Vec<_> = parts(comparison)
        .into_iter()
        .filter(|(_, part)| matches!(part, Part::NotMeasured(_)))
        .map(|(name, _)| name)
        .collect();
    if !absent.is_empty() {
        text += &format!("; not measured: {}", absent.join(", "));
    }
    text
}

/// The order in which rows are worth a look; equal ones stay in the order of the comparison.
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

/// Whether a scenario is equal to the block and the byte, and nothing more is to be said.
pub(super) fn is_equal(row: &ExactRow) -> bool {
    row.verdict == Verdict::Pass
        && row.base.is_some()
        && row.base == row.head
        && row.changes.is_empty()
        && row.notes.is_empty()
}

/// What a green result could not have missed, and after any other what to do next.
pub(super) fn last_word(comparison: &Comparison) -> String {
    let any = |wanted: fn(Verdict) -> bool| verdicts(comparison).into_iter().any(wanted);
    let next = match comparison.exit_code {
        0 => return format!("{}{}", notice(comparison), sensitivity(comparison)),
        1 => "mend what failed, and compare again".to_owned(),
        3 => suspect(comparison),
        4 if exact(comparison).iter().any(|row| row.verdict == Verdict::Improved) => {
            "record what fell with scripts/run-alloc-tests.sh --update, or pass --improved-ok"
                .to_owned()
        }
        4 => "keep it, and pass --improved-ok: neither timings nor instructions are recorded"
            .to_owned(),
        5 if verdicts(comparison).is_empty() => {
            "see above why no part was measured; a comparison of nothing has not passed".to_owned()
        }
        5 if any(|verdict| verdict == Verdict::NotComparable) => {
            "compare what has rows in common; a part without any has not passed".to_owned()
        }
        5 => "pass --new-ok if what is missing is new; else find out what head has lost".to_owned(),
        6 if any(|verdict| verdict != Verdict::TooNoisy && verdict.exit_code() == 6) => {
            "scripts/run-alloc-tests.sh; until the instrument repeats, no number bears on the code"
                .to_owned()
        }
        6 => "run again on a quieter machine, or pass --noisy-ok to judge by the other rows"
            .to_owned(),
        code => format!("exit code {code}"),
    };
    format!("next: {next}")
}

/// What was let pass though it did not; nothing if there is nothing.
fn notice(comparison: &Comparison) -> String {
    let noisy = verdicts(comparison).into_iter().filter(|one| *one == Verdict::TooNoisy).count();
    if noisy == 0 {
        return String::new();
    }
    format!("notice: {noisy} too noisy to judge, which --noisy-ok let pass; ")
}

/// The line of code, function or row that regressed; a count names its line, so it goes first.
fn suspect(comparison: &Comparison) -> String {
    let regressed = |verdict| matches!(verdict, Verdict::Regressed | Verdict::Leaked);
    let scenarios: Vec<_> = exact(comparison).iter().filter(|row| regressed(row.verdict)).collect();
    for row in &scenarios {
        if let Some(site) =
            row.sites.iter().find(|site| site.head.is_some() && site.place.is_some())
        {
            return format!("look at {} ({})", words::place(site), row.id);
        }
    }
    let instructions: Vec<_> =
        instructions(comparison).iter().filter(|row| regressed(row.verdict)).collect();
    for row in &instructions {
        let grown = || row.functions.iter().filter(|function| function.head > function.base);
        // What grows most is often a copy or an allocation; what calls for it is in the server.
        let ours =
            grown().find(|one| one.file.as_ref().is_some_and(|file| file.contains("server/")));
        if let Some(function) = ours.or_else(|| grown().next()) {
            return format!("look at {} ({})", function.name, row.id);
        }
    }
    let timings = timings(comparison).iter().filter(|row| regressed(row.verdict));
    let ids = scenarios.iter().map(|row| &row.id).chain(instructions.iter().map(|row| &row.id));
    let Some(id) = ids.chain(timings.map(|row| &row.id)).next() else {
        return "look at the rows above".to_owned();
    };
    let (base, head) = (&comparison.base.commit, &comparison.head.commit);
    match (base, head) {
        (Some(base), _) if comparison.head.name == "working tree" => {
            format!("git diff {base}, with an eye on {id}")
        }
        (Some(base), Some(head)) => format!("git diff {base} {head}, with an eye on {id}"),
        _ => format!("look at what {id} runs through"),
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
    let of =
        |row: &TimingRow| format!("{} % ({})", words::percent_unsigned(row.detectable), row.id);
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
