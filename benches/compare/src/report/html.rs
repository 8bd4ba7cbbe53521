use baselines::Verdict;
use bench_show::colour::Tone;
use bench_show::page::page;
use bench_show::units;
use chrono::DateTime;
use maud::{Markup, html};

use super::plot::{self, Axis};
use super::tree::{self, Node};
use super::{format, headline, summary, times};
use crate::model::{
    Comparison, ExactRow, InstructionRow, Part, Provenance, SiteRow, Timing, TimingRow,
};

/// Most scenarios that are all unfolded; of a larger number only the first is.
const UNFOLDED: usize = 4;

pub(super) fn render(comparison: &Comparison) -> String {
    let (base, head) = (summary::side(&comparison.base), summary::side(&comparison.head));
    let body = html! {
        (banner(comparison, &base, &head))
        (part("Timing", &comparison.timing, timing))
        (part("Exact counts", &comparison.exact, |rows| exact(rows)))
        (part("Instructions", &comparison.instructions, |rows| instructions(rows)))
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

fn verdict(verdict: Verdict) -> Markup {
    html! { span.verdict.(class_of(verdict)) { (verdict.as_str()) } }
}

fn class_of(verdict: Verdict) -> &'static str {
    class(verdict, headline::tone_of(verdict))
}

/// A class of the style sheet. An improvement is no pass: its number is not recorded.
fn class(verdict: Verdict, tone: Tone) -> &'static str {
    match tone {
        Tone::Good if verdict == Verdict::Improved => "better",
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Doubtful | Tone::Faint => "unsure",
    }
}

fn timing(timing: &Timing) -> Markup {
    let axis = Axis::new(timing);
    html! {
        p.dim {
            "Numbers beside an id are changes of what is shown there: a time that rises, or a rate that falls, is slower. "
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

fn exact(rows: &[ExactRow]) -> Markup {
    let equal: Vec<_> = rows.iter().filter(|row| summary::is_equal(row)).collect();
    let mut other: Vec<_> = rows.iter().filter(|row| !summary::is_equal(row)).collect();
    other.sort_by_key(|row| summary::urgency(row.verdict));
    let detailed: Vec<_> = other.iter().filter(|row| has_detail(row)).collect();
    html! {
        @if rows.is_empty() { p { (format::NO_ROW) } }
        @if !other.is_empty() {
            div.scroll {
                table {
                    tr {
                        th { "per operation" }
                        @for name in ["blocks", "bytes", "reads", "writes"] { th.number { (name) } }
                        th { "verdict" }
                    }
                    @for row in &other {
                        tr {
                            td { (row.id) }
                            @for (name, base, head) in format::figures(row) { (figure(name, base, head)) }
                            td { (verdict(row.verdict)) }
                        }
                    }
                }
            }
        }
        @for (index, row) in detailed.iter().enumerate() {
            details open[index == 0 || detailed.len() <= UNFOLDED] {
                summary { (row.id) " · " (verdict(row.verdict)) }
                @for line in format::exact(row) { p { (line) } }
                @for note in &row.notes { p { (note) } }
                (sites(row))
            }
        }
        @if !equal.is_empty() {
            details {
                summary { (units::counted(equal.len() as u64, "scenario")) " equal to the block and the byte" }
                p { @for row in equal { code { (row.id) } " " } }
            }
        }
    }
}

fn has_detail(row: &ExactRow) -> bool {
    !row.sites.is_empty() || !row.notes.is_empty() || !row.changes.is_empty()
}

/// On a phone a row is a card with a label before each number.
fn figure(label: &str, base: Option<f64>, head: Option<f64>) -> Markup {
    html! {
        td.number.same[base == head] data-label=(label) {
            @if base != head { (format::or_none(base)) " → " }
            (format::or_none(head))
        }
    }
}

fn sites(row: &ExactRow) -> Markup {
    let callers = tree::callers(&row.sites);
    let furthest =
        tree::furthest(row.sites.iter().map(|site| {
            tree::change(site.base.unwrap_or_default(), site.head.unwrap_or_default())
        }));
    // Bytes if no site differs in blocks.
    let metric = usize::from(furthest[0] == 0.0);
    html! {
        @if !row.sites.is_empty() {
            p.dim { "Call sites that differ, innermost frame first; totals at " (row.ops[1]) " " (units::plural(row.ops[1], &row.unit)) "." }
        }
        @for site in &row.sites { (site_of(row, site, furthest)) }
        @if tree::branches(&callers) {
            details {
                summary { "The same by caller, in " (["blocks", "bytes"][metric]) }
                (nodes(row, &callers, metric, tree::furthest_of(&callers)[metric]))
            }
        }
    }
}

fn site_of(row: &ExactRow, site: &SiteRow, furthest: [f64; 2]) -> Markup {
    let (base, head) = (site.base.unwrap_or_default(), site.head.unwrap_or_default());
    let [blocks, bytes] = tree::change(base, head).map(|change| change as f64);
    html! {
        div.site {
            div.head { span { (format::moved(row, site.base, site.head)) } code { (format::place(site)) } }
            div.measure {
                span { "blocks" }
                span.number { (base.blocks[1]) " → " (head.blocks[1]) }
                (plot::bar(blocks, furthest[0]))
                span { "bytes" }
                span.number { (base.bytes[1]) " → " (head.bytes[1]) }
                (plot::bar(bytes, furthest[1]))
            }
            ol.path { @for frame in tree::frames(site) { li { code { (frame) } } } }
        }
    }
}

fn nodes(row: &ExactRow, nodes: &[Node<'_>], metric: usize, furthest: f64) -> Markup {
    html! {
        ul.tree {
            @for node in nodes {
                li {
                    div.node {
                        code { (node.frame) }
                        span.dim { (format::moved(row, Some(node.base), Some(node.head))) }
                        (plot::bar(tree::change(node.base, node.head)[metric] as f64, furthest))
                    }
                    @if !node.callees.is_empty() { (self::nodes(row, &node.callees, metric, furthest)) }
                }
            }
        }
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
