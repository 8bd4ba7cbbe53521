use bench_show::units;
use maud::{Markup, html};

use super::tone::verdict;
use crate::model::{ExactRow, SiteRow};
use crate::report::tree::{self, Node};
use crate::report::{format, plot, summary};

/// Most scenarios that are all unfolded; of a larger number only the first is.
const UNFOLDED: usize = 4;

/// The scenarios that differ, then the others.
pub(super) fn exact(rows: &[ExactRow]) -> Markup {
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
