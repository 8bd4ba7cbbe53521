use std::fmt::Write;

use baselines::Verdict;
use bench_show::units;

use super::format::{self, Shared};
use super::times;
use super::{headline, summary};
use crate::model::{Comparison, ExactRow, TimingRow};

/// Most call sites or functions of a row.
const DETAILS: usize = 5;

pub(super) fn render(comparison: &Comparison) -> String {
    let mut text = String::new();
    let (base, head) = (summary::side(&comparison.base), summary::side(&comparison.head));
    let word = headline::word(comparison);
    line(&mut text, &format!("### {word}: {} → {}\n", escape(&base), escape(&head)));
    line(&mut text, &format!("**{}**\n", escape(&summary::summary(comparison))));
    for reason in headline::reasons(comparison) {
        line(&mut text, &format!("- {}", escape(&reason)));
    }
    line(&mut text, &format!("\n{}\n", escape(&headline::last_word(comparison))));
    for part in summary::missing_parts(comparison) {
        line(&mut text, &format!("{}: {}: {}\n", part.name, part.state, escape(part.why)));
    }
    let mut verdicts = summary::counts(comparison);
    verdicts.retain(|(verdict, _)| *verdict != Verdict::Pass);
    verdicts.sort_by_key(|(verdict, _)| summary::urgency(*verdict));
    let shared = format::shared(summary::exact(comparison));
    for (key, (scenarios, place)) in &shared {
        line(&mut text, &format!("In {scenarios} scenarios: {}  ", code(place)));
        line(&mut text, &format!("{}\n", code(key)));
    }
    for (verdict, _) in verdicts {
        section(&mut text, comparison, verdict, &shared);
    }
    folded(&mut text, comparison);
    text
}

/// All rows of one verdict; nothing if only a whole part has it.
fn section(text: &mut String, comparison: &Comparison, verdict: Verdict, shared: &Shared<'_>) {
    let timings: Vec<_> =
        summary::timings(comparison).iter().filter(|row| row.verdict == verdict).collect();
    let exact: Vec<_> =
        summary::exact(comparison).iter().filter(|row| row.verdict == verdict).collect();
    let instructions: Vec<_> =
        summary::instructions(comparison).iter().filter(|row| row.verdict == verdict).collect();
    let rows = timings.len() + exact.len() + instructions.len();
    if rows == 0 {
        return;
    }
    line(text, &format!("#### {rows} {}\n", verdict.as_str()));
    for row in exact {
        scenario(text, row, shared);
    }
    for row in instructions {
        let [base, head, change] = format::instruction_cells(row);
        let id = code(&row.id);
        line(text, &format!("- {id}: {base} → {head} instructions per {} ({change})", row.unit));
        for function in row.functions.iter().take(DETAILS) {
            let moved = format::signed(function.head - function.base);
            let file = function.file.as_deref().map(code).unwrap_or_default();
            line(text, &format!("  - {moved} {} {file}", code(&function.name)));
        }
    }
    line(text, "");
    if !timings.is_empty() {
        timing_table(text, timings);
    }
    if let (Verdict::TooNoisy, Some(timing)) = (verdict, comparison.timing.measured()) {
        for (id, why) in times::noise(timing) {
            line(text, &format!("Too noisy: {}: {}\n", code(id), escape(&why)));
        }
    }
}

fn scenario(text: &mut String, row: &ExactRow, shared: &Shared<'_>) {
    let id = code(&row.id);
    let findings: Vec<_> = format::findings(row).iter().map(|one| escape(one)).collect();
    line(text, &format!("- {id}: {}", findings.join("; ")));
    let own: Vec<_> =
        row.sites.iter().filter(|site| !shared.contains_key(site.key.as_str())).collect();
    for site in own.iter().take(DETAILS) {
        let moved = format::moved(row, site.base, site.head);
        line(text, &format!("  - {moved}: {}  ", code(format::place(site))));
        line(text, &format!("    {}", code(&site.key)));
    }
    if own.len() > DETAILS {
        line(text, &format!("  - and {} more sites", own.len() - DETAILS));
    }
}

/// All rows, folded.
fn folded(text: &mut String, comparison: &Comparison) {
    line(text, "<details><summary>All rows</summary>\n");
    let timings = summary::timings(comparison);
    if !timings.is_empty() {
        timing_table(text, times::grouped(timings));
        line(
            text,
            "Change, interval, null and seen (the smallest change that nine of ten runs would call) are percent of \
             base's number: a time that rises, or a rate that falls, is slower. Base and head are medians over rounds; \
             changes are those within rounds, and may differ. p99 is shown, never judged.\n",
        );
    }
    if let Some(timing) = comparison.timing.measured() {
        for (id, hint) in &timing.hints {
            line(text, &format!("Hint: {}: {}\n", code(id), escape(hint)));
        }
        for (id, why) in &timing.left_out {
            line(text, &format!("Left out: {}: {}\n", code(id), escape(why)));
        }
    }
    let exact = summary::exact(comparison);
    if !exact.is_empty() {
        line(text, "| per operation | blocks | bytes | reads | writes | verdict |");
        line(text, "| --- | ---: | ---: | ---: | ---: | --- |");
        for row in exact {
            let cells = format::figures(row).map(|(_, base, head)| match (base, head) {
                (base, head) if base == head => format::or_none(head),
                (base, head) => format!("{} → {}", format::or_none(base), format::or_none(head)),
            });
            let verdict = row.verdict.as_str();
            line(text, &format!("| {} | {} | {verdict} |", code(&row.id), cells.join(" | ")));
        }
        line(text, "");
    }
    let instructions = summary::instructions(comparison);
    if !instructions.is_empty() {
        line(text, "| instructions per operation | base | head | change | verdict |");
        line(text, "| --- | ---: | ---: | ---: | --- |");
        for row in instructions {
            let (id, figures, verdict) =
                (code(&row.id), format::instruction_cells(row), row.verdict.as_str());
            line(text, &format!("| {id} | {} | {verdict} |", figures.join(" | ")));
        }
        line(text, "");
    }
    line(text, "</details>");
}

fn timing_table<'a>(text: &mut String, rows: impl IntoIterator<Item = &'a TimingRow>) {
    line(text, "| timing | base | head | change | interval | null | seen | p99 | verdict |");
    line(text, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |");
    for row in rows {
        let [base, head, change, interval, null, seen] = times::cells(row);
        let cells = [
            format!("{} {}", code(&row.id), times::unit(row.unit)),
            base,
            head,
            format!("{change} %"),
            interval,
            null,
            seen,
            row.p99_ns.map_or_else(
                || format::NONE.to_owned(),
                |[base, head]| format!("{} → {}", units::time(base), units::time(head)),
            ),
            row.verdict.as_str().to_owned(),
        ];
        line(text, &format!("| {} |", cells.join(" | ")));
    }
    line(text, "");
}

/// An element rather than backticks, between which `<` and `|` cannot be escaped.
fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// Writes markup characters as entities and a line break as a space.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '|' | '*' | '`' | '~' | '[' | ']' | '\\' => {
                write!(escaped, "&#{};", u32::from(letter))
                    .expect("writing to a string does not fail");
            }
            // Within a word an underscore is not markup, and ids stay legible in the source.
            '_' if !escaped.ends_with(char::is_alphanumeric) => escaped.push_str("&#95;"),
            '\r' | '\n' => escaped.push(' '),
            _ => escaped.push(letter),
        }
    }
    escaped
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing to a string does not fail");
}
