use baselines::Verdict;
use bench_show::colour::Tone;

use super::worst::Worst;
use super::{summary, times};
use crate::model::{Comparison, TimingRow};
use crate::outcome::verdicts;

/// The verdict of the whole comparison: that of the rows which the exit code comes from.
pub(super) fn verdict(comparison: &Comparison) -> Verdict {
    let candidates: &[Verdict] = match comparison.exit_code {
        0 => &[Verdict::Pass],
        3 => &[Verdict::Regressed, Verdict::Leaked],
        4 => &[Verdict::Improved],
        5 => &[Verdict::NotComparable, Verdict::Stale, Verdict::Missing],
        6 => &[Verdict::Blind, Verdict::Nondeterministic, Verdict::TooNoisy],
        _ => &[Verdict::Failed],
    };
    let found = verdicts(comparison);
    *candidates.iter().find(|one| found.contains(one)).unwrap_or(&candidates[0])
}

/// `REGRESSED`: the word that every report begins with.
pub(super) fn word(comparison: &Comparison) -> String {
    verdict(comparison).as_str().to_uppercase()
}

/// The tone of [`verdict`]; a pass that a person had to accept is not green.
pub(super) fn tone(comparison: &Comparison) -> Tone {
    match verdict(comparison) {
        Verdict::Pass if verdicts(comparison).contains(&Verdict::TooNoisy) => Tone::Doubtful,
        verdict => tone_of(verdict),
    }
}

/// The tone of a row.
pub(super) fn tone_of(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Pass | Verdict::Improved => Tone::Good,
        Verdict::Regressed | Verdict::Leaked | Verdict::Failed => Tone::Bad,
        Verdict::Missing
        | Verdict::Stale
        | Verdict::Nondeterministic
        | Verdict::Blind
        | Verdict::TooNoisy
        | Verdict::NotComparable => Tone::Doubtful,
    }
}

/// The reasons of the verdict, a line each: what failed, then the worst row of each part.
pub(super) fn reasons(comparison: &Comparison) -> Vec<String> {
    let missing = summary::missing_parts(comparison).into_iter();
    let failed = missing.filter(|part| part.state == "failed");
    let failed = failed.map(|part| format!("{} failed: {}", part.name, part.why));
    let mut reasons: Vec<String> = failed.chain(Worst::red(comparison).lines()).collect();
    let hints = comparison.timing.measured().map(|timing| &timing.hints);
    reasons.extend(hints.into_iter().flatten().take(1).map(|(id, hint)| format!("{id}: {hint}")));
    if let (Verdict::TooNoisy, Some(timing)) = (verdict(comparison), comparison.timing.measured()) {
        reasons.extend(times::noise(timing).take(1).map(|(id, why)| format!("{id}: {why}")));
    }
    reasons
}

/// The smallest change that a pass could have seen, or else the next step.
pub(super) fn last_word(comparison: &Comparison) -> String {
    let verdicts = verdicts(comparison);
    let suite = &comparison.suite;
    let any = |wanted: fn(&Verdict) -> bool| verdicts.iter().any(wanted);
    let next = match comparison.exit_code {
        0 => return format!("{}{}", notice(&verdicts), sensitivity(comparison)),
        1 if verdicts.iter().copied().any(summary::is_red) => {
            return format!(
                "next: fix the failed part, then compare again; and {}",
                Worst::red(comparison).suspect(comparison)
            );
        }
        1 => "fix the failed part, then compare again",
        3 => return format!("next: {}", Worst::red(comparison).suspect(comparison)),
        4 if summary::exact(comparison).iter().any(|row| row.verdict == Verdict::Improved) => {
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

/// The rows whose repeats differed, and the command that shows how.
fn wavering(comparison: &Comparison) -> String {
    let wavers = |verdict| verdict == Verdict::Nondeterministic;
    let counted =
        summary::exact(comparison).iter().filter(|row| wavers(row.verdict)).map(|row| &row.id);
    let mut counted = counted.peekable();
    let command = counted
        .peek()
        .map_or_else(String::new, |id| format!("; {} {id} names what differs", comparison.suite));
    let ran = summary::instructions(comparison)
        .iter()
        .filter(|row| wavers(row.verdict))
        .map(|row| &row.id);
    let ids: Vec<&str> = counted.chain(ran).map(String::as_str).collect();
    ids.join(", ") + &command
}

/// `smallest change that could have been seen: any block, byte, read or write; in time 1.2 % (…) to 4.5 % (…)`.
fn sensitivity(comparison: &Comparison) -> String {
    let mut seen = Vec::new();
    if !summary::exact(comparison).is_empty() {
        seen.push("any block, byte, read or write".to_owned());
    }
    let mut rows: Vec<_> =
        summary::timings(comparison).iter().filter(|row| row.verdict == Verdict::Pass).collect();
    rows.sort_by(|a, b| a.detectable.total_cmp(&b.detectable));
    let of = |row: &TimingRow| format!("{} % ({})", times::seen(row), row.id);
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
