use std::collections::BTreeMap;
use std::fmt::Write as _;

use baselines::Verdict;
use baselines::alloc::{Counts, Metric};
use baselines::compare::Change;
use baselines::sites::SiteCost;
use comfy_table::{CellAlignment, Table, presets};

use super::Run;
use crate::result::ScenarioResult;

/// Most call sites shown for one scenario.
const SITES: usize = 8;

/// The style of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Terminal,
    Markdown,
}

pub(super) fn render(run: &Run<'_>, look: Look) -> String {
    let mut text = String::new();
    let mut details = String::new();
    let shared = shared(run);
    for (key, (scenarios, place)) in &shared {
        line(&mut details, &format!("\nin {scenarios} scenarios  {place}\n      {key}"));
    }
    for one in run.results.iter().filter(|one| has_detail(one)) {
        detail(&mut details, one, &shared);
    }
    match look {
        Look::Terminal => {
            line(&mut text, &lines_of(&run.results, look));
            text.push_str(&details);
        }
        // Scenarios that did not pass come first; the whole table is folded.
        Look::Markdown => {
            line(&mut text, &format!("### Allocations: {}\n", run.summary()));
            let bad: Vec<&ScenarioResult> =
                run.results.iter().filter(|one| one.report.verdict != Verdict::Pass).collect();
            if !bad.is_empty() {
                line(&mut text, &lines_of(bad, look));
            }
            if !details.is_empty() {
                line(&mut text, &format!("\n```text{details}```\n"));
            }
            let all = lines_of(&run.results, look);
            line(
                &mut text,
                &format!(
                    "<details><summary>All {} scenarios</summary>\n\n{all}\n\n</details>\n",
                    run.results.len()
                ),
            );
        }
    }
    if look == Look::Terminal {
        line(
            &mut text,
            "\nper op: blocks, bytes, reads, writes; fixed: blocks of everything else;",
        );
        line(&mut text, "peak: most heap bytes at N ops, server and driver's pipes included");
    }
    for one in run.results.iter() {
        if let Some(held) =
            one.report.measured.as_ref().and_then(|counts| counts.per_op(Metric::HeldBytes))
        {
            line(
                &mut text,
                &format!("{}: {} bytes held per {}", one.id, number(held), one.report.unit),
            );
        }
    }
    for difference in &run.provenance_differs {
        let moved = run.results.iter().any(|one| !one.changes.is_empty());
        let role = if moved { "likely cause" } else { "recorded with another build" };
        line(&mut text, &format!("{role}: {difference}"));
    }
    line(&mut text, &format!("{} ({} runs of each, at N and 2N)", run.summary(), run.runs));
    if let Some(next) = run.next_step() {
        line(&mut text, &next);
    }
    text
}

fn lines_of<'a>(judged: impl IntoIterator<Item = &'a ScenarioResult>, look: Look) -> String {
    let mut table = Table::new();
    table.load_style(match look {
        Look::Terminal => presets::NOTHING,
        Look::Markdown => presets::ASCII_MARKDOWN,
    });
    table
        .set_header(["scenario", "blocks", "bytes", "reads", "writes", "fixed", "peak", "verdict"]);
    for column in 1..=6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    if look == Look::Terminal {
        for column in table.column_iter_mut() {
            column.set_padding((0, 1));
        }
    }
    for one in judged {
        let verdict = one.report.verdict.as_str().to_owned();
        let mut row = vec![one.id.clone()];
        match one.report.measured.as_ref().or(one.report.recorded.as_ref()) {
            Some(counts) => row.extend(figures(counts)),
            None => row.extend(std::iter::repeat_n("-".to_owned(), 6)),
        }
        row.push(verdict);
        table.add_row(row);
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn figures(counts: &Counts) -> [String; 6] {
    let per_op = |metric| counts.per_op(metric).map_or_else(|| "-".to_owned(), number);
    let fixed = counts.fixed(Metric::Blocks).map_or_else(|| "-".to_owned(), number);
    [
        per_op(Metric::Blocks),
        per_op(Metric::Bytes),
        per_op(Metric::Reads),
        per_op(Metric::Writes),
        fixed,
        size(counts.peak_bytes[0]),
    ]
}

/// A scenario that passed, or that has no baseline yet, needs no more than its row.
fn has_detail(one: &ScenarioResult) -> bool {
    !matches!(one.report.verdict, Verdict::Pass | Verdict::Missing) || !one.report.notes.is_empty()
}

pub(super) fn explain(one: &ScenarioResult) -> String {
    let mut text = String::new();
    detail(&mut text, one, &Shared::new());
    text
}

/// Call sites that changed in many scenarios, with the number of scenarios and the place. They are printed once.
type Shared<'a> = BTreeMap<&'a str, (usize, &'a str)>;

/// From this number of scenarios on, a call site is printed once for all of them.
const MANY: usize = 4;

fn shared<'a>(run: &'a Run<'_>) -> Shared<'a> {
    let mut shared = Shared::new();
    for one in &run.results {
        for site in &one.report.sites_changed {
            let place = site.place.as_deref().unwrap_or("gone");
            shared.entry(site.key.as_str()).or_insert((0, place)).0 += 1;
        }
    }
    shared.retain(|_, (scenarios, _)| *scenarios >= MANY);
    shared
}

/// Everything to say about a scenario that did not pass.
fn detail(text: &mut String, one: &ScenarioResult, shared: &Shared<'_>) {
    line(text, &format!("\n{}: {}", one.id, one.report.verdict.as_str()));
    for note in &one.report.notes {
        line(text, &format!("  {note}"));
    }
    let live = one.report.live;
    if !live.is_zero() {
        let left = [
            (live.blocks, "blocks"),
            (live.bytes, "bytes"),
            (live.fds, "descriptors"),
            (live.tasks, "tasks"),
        ];
        let left = left
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"));
        line(text, &format!("  still alive at the end: {}", left.collect::<Vec<_>>().join(", ")));
    }
    for leak in one.report.leaks.iter().take(SITES) {
        line(text, &format!("  {} blocks, {} bytes of  {}", leak.blocks, leak.bytes, leak.place));
        line(text, &format!("      {}", leak.key));
    }
    for change in &one.changes {
        line(text, &format!("  {}", change_line(one, change)));
    }
    let ops =
        one.report.measured.as_ref().or(one.report.recorded.as_ref()).map(|counts| counts.ops);
    let own: Vec<_> = one
        .report
        .sites_changed
        .iter()
        .filter(|site| !shared.contains_key(site.key.as_str()))
        .collect();
    for site in own.iter().take(SITES) {
        let (recorded, measured) =
            (site.recorded.unwrap_or_default(), site.measured.unwrap_or_default());
        let place = match (site.place.as_deref(), site.measured) {
            (Some(place), _) if !place.is_empty() => place,
            (_, None) => "gone",
            _ => "place unknown",
        };
        line(text, &format!("  {}  {place}", site_line(one, recorded, measured, ops)));
        line(text, &format!("      {}", site.key));
    }
    if own.len() > SITES {
        line(text, &format!("  and {} more sites (--format json has all)", own.len() - SITES));
    }
    if own.len() < one.report.sites_changed.len() {
        line(
            text,
            &format!("  and {} of the sites above", one.report.sites_changed.len() - own.len()),
        );
    }
}

/// `blocks 212 → 1212 at 1000, 212 → 2212 at 2000: +1 per message`.
fn change_line(one: &ScenarioResult, change: &Change) -> String {
    let ops = one
        .report
        .recorded
        .as_ref()
        .or(one.report.measured.as_ref())
        .map_or([1, 2], |counts| counts.ops);
    let ([old, old_double], [new, new_double]) = (change.recorded, change.measured);
    let mut text = format!(
        "{} {old} → {new} at {}, {old_double} → {new_double} at {}",
        change.metric.name(),
        ops[0],
        ops[1]
    );
    let delta = change.per_op_delta(ops).unwrap_or_default();
    if delta == 0.0 {
        text += &format!(": {} in all", signed(new as f64 - old as f64));
    } else {
        text += &format!(": {} per {}", signed(delta), one.report.unit);
    }
    text
}

/// `+1 blocks, +64 bytes per message`, or the totals if only the fixed cost changed.
fn site_line(
    one: &ScenarioResult,
    recorded: SiteCost,
    measured: SiteCost,
    ops: Option<[u64; 2]>,
) -> String {
    let ops = ops.unwrap_or([1, 2]);
    let delta = |old: [u64; 2], new: [u64; 2]| {
        let at = |n: usize| new[n] as f64 - old[n] as f64;
        let slope = (at(1) - at(0)) / (ops[1] - ops[0]) as f64;
        (slope, at(0) - slope * ops[0] as f64)
    };
    let (blocks, fixed_blocks) = delta(recorded.blocks, measured.blocks);
    let (bytes, fixed_bytes) = delta(recorded.bytes, measured.bytes);
    if blocks == 0.0 && bytes == 0.0 {
        return format!("{} blocks, {} bytes in all", signed(fixed_blocks), signed(fixed_bytes));
    }
    format!("{} blocks, {} bytes per {}", signed(blocks), signed(bytes), one.report.unit)
}

fn line(text: &mut String, words: &str) {
    writeln!(text, "{words}").expect("a string takes everything");
}

/// A whole number without digits after the point, any other with two.
fn number(value: f64) -> String {
    // A small negative value would print as -0.
    let value = if value.abs() < 0.005 { 0.0 } else { value };
    if (value - value.round()).abs() < 0.005 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

fn signed(value: f64) -> String {
    let text = number(value);
    if text.starts_with('-') { text } else { format!("+{text}") }
}

fn size(bytes: u64) -> String {
    if bytes < 10_000 { format!("{bytes} B") } else { format!("{:.1}K", bytes as f64 / 1024.0) }
}
