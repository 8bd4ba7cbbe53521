mod exact;
mod tone;

use bench_show::page::page;
use bench_show::units;
use chrono::DateTime;
use maud::{Markup, html};

use super::plot::{self, Axis};
use super::{format, headline, summary, times};
use crate::model::{Comparison, InstructionRow, Part, Provenance, Timing, TimingRow};
use crate::outcome;
use exact::exact;
use tone::{class, class_of, verdict};

pub(super) fn render(comparison: &Comparison) -> String {
    let (base, head) = (summary::side(&comparison.base), summary::side(&comparison.head));
    let sections = [
        part("Timing", &comparison.timing, timing),
        part("Exact counts", &comparison.exact, |rows| exact(rows)),
        part("Instructions", &comparison.instructions, |rows| instructions(rows)),
    ];
    let mut sections: Vec<_> = sections.into_iter().zip(outcome::parts(comparison)).collect();
    // What decides comes first.
    sections.sort_by_key(|(_, verdicts)| {
        verdicts.iter().map(|one| summary::urgency(*one)).min().unwrap_or(u8::MAX)
    });
    let body = html! {
        (banner(comparison, &base, &head))
        @for (section, _) in sections { (section) }
    };
    page(&format!("{base} → {head}"), include_str!("style.css"), &body)
}

fn banner(comparison: &Comparison, base: &str, head: &str) -> Markup {
    html! {
        header {
            h1 { (base) " → " (head) }
            div.banner.(class(headline::verdict(comparison), headline::tone(comparison))) {
                strong { (headline::word(comparison)) }
                p { (summary::summary(comparison)) " · exit code " (comparison.exit_code) }
                @for reason in headline::reasons(comparison) { p { (reason) } }
                p { (headline::last_word(comparison)) }
            }
            (provenance(comparison))
        }
    }
}

/// Titles of the commits, date, machine and compiler, for a page that is read later and elsewhere.
fn provenance(comparison: &Comparison) -> Markup {
    let Provenance { unix_s, machine, compiler } = &comparison.provenance;
    let date = i64::try_from(*unix_s).ok().and_then(|s| DateTime::from_timestamp(s, 0));
    let date = date.map(|date| date.format("%Y-%m-%d %H:%M UTC").to_string());
    let facts = [date, Some(machine.clone()), compiler.clone()];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    html! {
        @for side in [&comparison.base, &comparison.head] {
            @if let Some(title) = &side.title { p.dim { (summary::side(side)) ": " (title) } }
        }
        p.dim { (facts.join(" · ")) }
    }
}

fn part<T>(name: &str, part: &Part<T>, show: impl FnOnce(&T) -> Markup) -> Markup {
    let content = match part {
        Part::Measured(data) => show(data),
        Part::NotMeasured(why) => html! { p { span.verdict.unsure { "not measured" } ": " (why) } },
        Part::Failed(why) => html! { p { span.verdict.bad { "failed" } ": " (why) } },
        Part::Inapplicable => return html! {},
    };
    html! { section { h2 { (name) } (content) } }
}

fn timing(timing: &Timing) -> Markup {
    let axis = Axis::new(timing);
    html! {
        p.dim {
            "Numbers beside an id are changes of what is shown there: a time that rises, or a rate that falls, is slower. "
            "They are those within rounds, and may differ from the medians over rounds. "
            "The charts show the change of the time of an operation, with its " (units::percent(timing.confidence))
            " interval. It is called from ±" (units::percent(timing.called_from))
            " on, so that a change of " (units::percent(timing.threshold)) " is not missed. "
            "p99 is shown, never judged. Seed " (timing.seed) "."
        }
        @if timing.rows.is_empty() { p { (format::NO_ROW) } } @else { (plot::legend()) }
        @for row in times::grouped(&timing.rows) { (timing_row(row, &axis, timing.hints.get(&row.id))) }
        @for (id, why) in &timing.left_out { p.dim { "left out: " code { (id) } ": " (why) } }
    }
}

fn timing_row(row: &TimingRow, axis: &Axis, hint: Option<&String>) -> Markup {
    let [base, head, change, interval, null, seen] = times::cells(row);
    html! {
        article.timing.(class_of(row.verdict)) {
            div {
                h3 { (row.id) }
                p.head {
                    span.number { (base) " → " (head) }
                    span.number.change title=(times::direction(row.effect)) { (change) " %" }
                    (verdict(row.verdict))
                }
                p.dim {
                    (times::unit_in_full(row.unit)) "; interval " (interval)
                    ", null " (null) ", could have seen " (seen)
                    " %, p " (probability(row.p))
                    @if row.confirmed { ", judged on confirmation rounds" }
                }
                @if let Some([base, head]) = row.p99_ns {
                    p.dim { "p99 " (units::time(base)) " → " (units::time(head)) }
                }
                @if let Some(hint) = hint { p { (hint) } }
            }
            (axis.draw(row))
        }
    }
}

fn probability(p: f64) -> String {
    match p {
        ..0.001 => "< 0.001".to_owned(),
        ..=1.0 => format!("{p:.3}"),
        _ => format::NONE.to_owned(),
    }
}

fn instructions(rows: &[InstructionRow]) -> Markup {
    html! {
        @if rows.is_empty() {
            p { (format::NO_ROW) }
        } @else {
            div.scroll {
                table {
                    tr {
                        th { "per operation" } th.number { "base" } th.number { "head" } th.number { "change" }
                        th { "verdict" }
                    }
                    @for row in rows {
                        tr {
                            td { (row.id) }
                            @for (label, cell) in ["base", "head", "change"].into_iter().zip(format::instruction_cells(row)) {
                                td.number data-label=(label) { (cell) }
                            }
                            td { (verdict(row.verdict)) }
                        }
                    }
                }
            }
        }
        @for row in rows.iter().filter(|row| !row.functions.is_empty()) {
            h3 { (row.id) " · instructions of its own per " (row.unit) }
            @let changes = row.functions.iter().map(|function| (function.head - function.base).abs());
            @let furthest = changes.fold(0.0, f64::max);
            @for function in &row.functions {
                div.site {
                    code { (function.name) }
                    @if let Some(file) = &function.file { " " span.dim { (file) } }
                    div.measure {
                        span.number { (format::signed(function.head - function.base)) }
                        span.number { (format::number(function.base)) " → " (format::number(function.head)) }
                        (plot::bar(function.head - function.base, furthest))
                    }
                }
            }
        }
    }
}
