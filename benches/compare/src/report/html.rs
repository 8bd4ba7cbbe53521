use baselines::Verdict;
use maud::{Markup, html};

use super::plot::{self, Axis};
use super::tree::{self, Node};
use super::{outcome, words};
use crate::model::{Comparison, ExactRow, InstructionRow, Part, SiteRow, Timing, TimingRow};
use bench_show::page::page;
use bench_show::units;

/// Changed scenarios up to which all are unfolded; of more only the first.
const UNFOLDED: usize = 4;

pub(super) fn render(comparison: &Comparison) -> String {
    let (base, head) = (outcome::side(&comparison.base), outcome::side(&comparison.head));
    let body = html! {
        (banner(comparison, &base, &head))
        (part("Timing", &comparison.timing, timing))
        (part("Exact counts", &comparison.exact, |rows| exact(rows)))
        (part("Instructions", &comparison.instructions, |rows| instructions(rows)))
    };
    page(&format!("{base} → {head}"), include_str!("style.css"), &body)
}

fn banner(comparison: &Comparison, base: &str, head: &str) -> Markup {
    let (tone, word) = match comparison.exit_code {
        0 => ("good", "Pass"),
        1 => ("bad", "Failed"),
        3 => ("bad", "Regressed"),
        4 => ("better", "Improved"),
        6 => ("unsure", "Not to be trusted"),
        _ => ("unsure", "Not comparable"),
    };
    html! {
        header {
            h1 { (base) " → " (head) }
            div.banner.(tone) {
                strong { (word) }
                p { (outcome::summary(comparison)) " · exit code " (comparison.exit_code) }
                p { (outcome::last_word(comparison)) }
            }
        }
    }
}

fn part<T>(name: &str, part: &Part<T>, show: impl FnOnce(&T) -> Markup) -> Markup {
    html! {
        section {
            h2 { (name) }
            @match part {
                Part::Measured(data) => (show(data)),
                Part::NotMeasured(why) => p { span.verdict.unsure { "not measured" } ": " (why) },
                Part::Failed(why) => p { span.verdict.bad { "failed" } ": " (why) },
            }
        }
    }
}

fn verdict(verdict: Verdict) -> Markup {
    html! { span.verdict.(tone(verdict)) { (verdict.as_str()) } }
}

fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "good",
        Verdict::Improved => "better",
        Verdict::Regressed | Verdict::Leaked | Verdict::Failed => "bad",
        Verdict::Missing
        | Verdict::Stale
        | Verdict::Nondeterministic
        | Verdict::Blind
        | Verdict::TooNoisy
        | Verdict::NotComparable => "unsure",
    }
}

fn timing(timing: &Timing) -> Markup {
    let axis = Axis::new(timing);
    let confidence = words::number(timing.confidence * 100.0);
    html! {
        p.dim {
            "Change of the cost of an operation, in percent of base's, with its " (confidence)
            " % interval. It is called a change from ±" (words::number(timing.called_from * 100.0))
            " % on, so that one of " (words::number(timing.threshold * 100.0)) " % is seen. "
            "p99 is shown, never judged. Seed " (timing.seed) "."
        }
        @if timing.rows.is_empty() { p { (words::NO_ROW) } } @else { (plot::legend()) }
        @for row in &timing.rows { (timing_row(row, &axis)) }
        @for (id, why) in &timing.left_out { p.dim { "left out: " code { (id) } ": " (why) } }
    }
}

fn timing_row(row: &TimingRow, axis: &Axis) -> Markup {
    let shown = |ns| words::quantity(row.unit, ns);
    html! {
        article.timing.(tone(row.verdict)) {
            div {
                h3 { (row.id) }
                p.head {
                    span.number { (shown(row.base_ns)) " → " (shown(row.head_ns)) }
                    span.number.change { (words::percent(row.effect)) " %" }
                    (verdict(row.verdict))
                }
                p.dim {
                    (words::unit_in_full(row.unit)) "; interval " (words::interval(row.interval))
                    ", null " (words::percent(row.null)) ", could have seen " (words::percent_unsigned(row.detectable))
                    " %, p " (probability(row.p))
                    @if row.confirmed { ", judged on data taken after suspicion" }
                }
                @if let Some([base, head]) = row.p99_ns {
                    p.dim { "p99 " (units::time(base)) " → " (units::time(head)) }
                }
            }
            (axis.draw(row))
        }
    }
}

fn probability(p: f64) -> String {
    match p {
        ..0.001 => "< 0.001".to_owned(),
        ..=1.0 => format!("{p:.3}"),
        _ => words::NONE.to_owned(),
    }
}

fn exact(rows: &[ExactRow]) -> Markup {
    let equal: Vec<_> = rows.iter().filter(|row| outcome::is_equal(row)).collect();
    let mut other: Vec<_> = rows.iter().filter(|row| !outcome::is_equal(row)).collect();
    other.sort_by_key(|row| outcome::urgency(row.verdict));
    let detailed: Vec<_> = other.iter().filter(|row| has_detail(row)).collect();
    html! {
        @if rows.is_empty() { p { (words::NO_ROW) } }
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
                            @for (name, base, head) in words::figures(row) { (figure(name, base, head)) }
                            td { (verdict(row.verdict)) }
                        }
                    }
                }
            }
        }
        @for (index, row) in detailed.iter().enumerate() {
            details open[index == 0 || detailed.len() <= UNFOLDED] {
                summary { (row.id) " · " (verdict(row.verdict)) }
                @for words in words::exact(row) { p { (words) } }
                @for note in &row.notes { p { (note) } }
                (sites(row))
            }
        }
        @if !equal.is_empty() {
            details {
                summary { (words::scenarios(equal.len())) " equal to the block and the byte" }
                p { @for row in equal { code { (row.id) } " " } }
            }
        }
    }
}

fn has_detail(row: &ExactRow) -> bool {
    !row.sites.is_empty() || !row.notes.is_empty() || !row.changes.is_empty()
}

/// On a phone a row is a card, and the label stands before its number.
fn figure(label: &str, base: Option<f64>, head: Option<f64>) -> Markup {
    html! {
        td.number.same[base == head] data-label=(label) {
            @if base != head { (words::or_none(base)) " → " }
            (words::or_none(head))
        }
    }
}

fn sites(row: &ExactRow) -> Markup {
    let callers = tree::callers(&row.sites);
    let furthest =
        tree::furthest(row.sites.iter().map(|site| {
            tree::change(site.base.unwrap_or_default(), site.head.unwrap_or_default())
        }));
    // Bytes where no site differs in blocks.
    let metric = usize::from(furthest[0] == 0.0);
    html! {
        @if !row.sites.is_empty() {
            p.dim { "Call sites that differ, innermost frame first; totals at " (row.ops[1]) " " (row.unit) "s." }
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
            div.head { span { (words::moved(row, site.base, site.head)) } code { (words::place(site)) } }
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
                        span.dim { (words::moved(row, Some(node.base), Some(node.head))) }
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
            p { (words::NO_ROW) }
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
                            td.number data-label="base" { (words::or_none(row.base)) }
                            td.number data-label="head" { (words::or_none(row.head)) }
                            td.number data-label="change" { (words::change(row.base, row.head)) }
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
                        span.number { (words::signed(function.head - function.base)) }
                        span.number { (words::number(function.base)) " → " (words::number(function.head)) }
                        (plot::bar(function.head - function.base, furthest))
                    }
                }
            }
        }
    }
}
