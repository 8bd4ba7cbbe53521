use std::collections::BTreeMap;
use std::path::Path;

use baselines::Verdict;
use baselines::alloc::{Counts, Metric};
use baselines::compare::Slack;
use baselines::sites::SiteChange;
use baselines::suite_report::ScenarioReport;
use baselines::words::{self, number};
use comfy_table::{CellAlignment, Table, TableStyle, presets};

use super::{Run, source};
use crate::repeats::CALLS_VARY;
use crate::sites::MOST_SHOWN;

/// From this number of scenarios on, a call site is printed once for all of them.
const MANY: usize = 4;

const COLUMNS: [&str; 9] =
    ["scenario", "blocks", "bytes", "reads", "writes", "calls", "fixed", "peak", "verdict"];

const LEGEND: &str = "
per op: blocks, bytes, reads, writes, other system calls; fixed: blocks of everything else;
peak: most heap bytes at N ops, server and driver's pipes included";

const NO_CALLS: &str =
    "not measured: system calls; this kernel or container refuses seccomp notifications";

const NO_STREAMS: &str =
    "not measured: reads and writes, no stream was wrapped with plimsoll::count";

pub(super) fn terminal(run: &Run<'_>) -> String {
    let mut lines = vec![draw(&run.report.scenarios, presets::NOTHING, (0, 1))];
    lines.extend(details(run));
    lines.push(LEGEND.to_owned());
    lines.extend(summary(run));
    lines.join("\n") + "\n"
}

/// Scenarios that did not pass come first; the whole table is folded.
pub(super) fn markdown(run: &Run<'_>) -> String {
    let mut lines = vec![format!("### Allocations: {}\n", run.verdicts())];
    let scenarios = &run.report.scenarios;
    let failed: Vec<_> = scenarios.iter().filter(|(_, one)| one.verdict != Verdict::Pass).collect();
    if !failed.is_empty() {
        lines.push(draw(failed, presets::ASCII_MARKDOWN, (1, 1)));
    }
    let details = details(run);
    if !details.is_empty() {
        lines.push(format!("\n```text{}\n```\n", details.join("\n")));
    }
    let all = draw(scenarios, presets::ASCII_MARKDOWN, (1, 1));
    lines.push(format!(
        "<details><summary>All {} scenarios</summary>\n\n{all}\n\n</details>\n",
        scenarios.len()
    ));
    lines.extend(summary(run));
    lines.join("\n") + "\n"
}

/// Everything to say about a scenario that did not pass. `root` is that of the workspace.
pub(crate) fn explain(root: &Path, id: &str, report: &ScenarioReport) -> String {
    detail(root, id, report, &Shared::default()).join("\n") + "\n"
}

fn draw<'a>(
    results: impl IntoIterator<Item = (&'a String, &'a ScenarioReport)>,
    style: TableStyle,
    padding: (u16, u16),
) -> String {
    let mut table = Table::new();
    table.load_style(style).set_header(COLUMNS);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding(padding);
        if (1..=7).contains(&at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for (id, report) in results {
        let figures = report.measured.as_ref().or(report.recorded.as_ref()).map(figures);
        let figures = figures.unwrap_or_else(|| std::array::from_fn(|_| "-".to_owned()));
        let verdict = report.verdict.as_str().to_owned();
        table.add_row([id.clone()].into_iter().chain(figures).chain([verdict]));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// The figures of a scenario's row in the table, for a test that compares a document with the recorded counts: blocks,
/// bytes, reads, writes and system calls per operation, the fixed blocks, and the peak. `-` is *not measured*.
///
/// ```
/// use baselines::alloc::Counts;
///
/// let counts = Counts { ops: [1000, 2000], blocks: [1057, 2057], ..Counts::default() };
/// assert_eq!(plimsoll::figures(&counts), ["1", "0", "-", "-", "-", "57", "0 B"]);
/// ```
#[must_use]
pub fn figures(counts: &Counts) -> [String; 7] {
    let shown = |cost: Option<f64>| cost.map_or_else(|| "-".to_owned(), number);
    let [blocks, bytes, reads, writes, calls] =
        [Metric::Blocks, Metric::Bytes, Metric::Reads, Metric::Writes, Metric::Calls]
            .map(|metric| shown(counts.per_op(metric)));
    let fixed = shown(counts.fixed(Metric::Blocks));
    [blocks, bytes, reads, writes, calls, fixed, size(counts.peak_bytes[0])]
}

/// The last lines of a report: held bytes, provenance, verdicts, next step.
fn summary(run: &Run<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for (id, report) in &run.report.scenarios {
        let held = report.measured.as_ref().and_then(|counts| counts.per_op(Metric::HeldBytes));
        let unit = &report.unit;
        lines.extend(held.map(|held| format!("{id}: {} bytes held per {unit}", number(held))));
    }
    // Where they vary, a note of the scenario says so.
    let is_refused = |one: &ScenarioReport| {
        one.measured.as_ref().is_some_and(|counts| counts.calls.is_none())
            && !one.notes.iter().any(|note| note.starts_with(CALLS_VARY))
    };
    if run.report.scenarios.values().any(is_refused) {
        lines.push(NO_CALLS.to_owned());
    }
    let without_io: Vec<_> = run
        .report
        .scenarios
        .iter()
        .filter(|(_, one)| one.measured.as_ref().is_some_and(|counts| counts.reads.is_none()))
        .map(|(id, _)| id.as_str())
        .collect();
    if !without_io.is_empty() {
        lines.push(format!("{NO_STREAMS}: {}", without_io.join(", ")));
    }
    lines.extend(causes(run));
    lines.push(format!("{} ({} runs of each, at N and 2N)", run.verdicts(), run.runs));
    lines.extend(run.next_step());
    lines
}

/// What differs from the build that recorded the numbers. The packages that changed call sites are in are their likely
/// cause; others are in one line.
fn causes(run: &Run<'_>) -> Vec<String> {
    let different = &run.report.provenance_differs;
    let scenarios = || run.report.scenarios.values();
    if different.is_empty() {
        return Vec::new();
    }
    if scenarios().all(|one| one.changes().is_empty()) {
        return vec![format!("recorded with another build: {}", different.join("; "))];
    }
    let sites: Vec<_> = scenarios().flat_map(|one| &one.sites_changed).collect();
    if sites.is_empty() {
        return vec![format!("likely cause: {}", different.join("; "))];
    }
    let inside = |difference: &String| {
        let name = difference.split(' ').next().unwrap_or_default().replace('-', "_");
        // The compiler builds every site.
        if name == "rustc" {
            return sites.len();
        }
        let is_of = |frame: &str| {
            frame.trim_start_matches('<').split_once("::").is_some_and(|(first, _)| first == name)
        };
        sites.iter().filter(|site| site.key.split(" <- ").any(is_of)).count()
    };
    let counted = different.iter().map(|difference| (difference, inside(difference)));
    let (causes, others): (Vec<_>, Vec<_>) = counted.partition(|(_, count)| *count > 0);
    let total = sites.len();
    let mut lines: Vec<_> = causes
        .iter()
        .map(|(one, count)| {
            format!("likely cause: {one}, in {count} of {total} changed call sites")
        })
        .collect();
    if !others.is_empty() {
        let others: Vec<_> = others.iter().map(|(one, _)| one.as_str()).collect();
        lines.push(format!("in no changed call site: {}", others.join("; ")));
    }
    lines
}

/// What many scenarios have in common, which is printed once.
#[derive(Default)]
struct Shared<'a> {
    /// Call sites with the number of scenarios and the place.
    sites: BTreeMap<&'a str, (usize, &'a str)>,
    /// Sentences of scenarios that were not counted, with the number of scenarios.
    notes: BTreeMap<&'a str, usize>,
}

impl<'a> Shared<'a> {
    fn of(scenarios: &'a BTreeMap<String, ScenarioReport>) -> Self {
        let mut shared = Self::default();
        for report in scenarios.values() {
            for site in &report.sites_changed {
                let place = site.place.as_deref().unwrap_or("gone");
                shared.sites.entry(site.key.as_str()).or_insert((0, place)).0 += 1;
            }
            let blind = report.notes.iter().filter(|_| report.verdict == Verdict::Blind);
            blind.for_each(|note| *shared.notes.entry(note.as_str()).or_default() += 1);
        }
        shared.sites.retain(|_, (scenarios, _)| *scenarios >= MANY);
        shared.notes.retain(|_, scenarios| *scenarios >= MANY);
        shared
    }

    fn lines(&self, root: &Path) -> Vec<String> {
        let sites = self.sites.iter().map(|(key, (scenarios, place))| {
            let code = source::quote(root, place).map(|code| code + "\n").unwrap_or_default();
            format!("\nin {scenarios} scenarios  {}\n{code}      {key}", spot(place))
        });
        let notes = self.notes.iter();
        let notes = notes.map(|(note, scenarios)| format!("\nin {scenarios} scenarios: {note}"));
        notes.chain(sites).collect()
    }
}

/// A place in words.
fn spot(place: &str) -> &str {
    if place.is_empty() { "place unknown" } else { place }
}

fn details(run: &Run<'_>) -> Vec<String> {
    let root = &run.setup.root;
    let shared = Shared::of(&run.report.scenarios);
    let mut lines = shared.lines(root);
    // A scenario that passed, or that has no baseline yet, needs no more than its row.
    let plain = |report: &ScenarioReport| {
        let has_own = report.notes.iter().any(|note| !shared.notes.contains_key(note.as_str()));
        matches!(report.verdict, Verdict::Pass | Verdict::Missing | Verdict::Blind)
            && !has_own
            && report.slack.is_empty()
    };
    let others = run.report.scenarios.iter().filter(|(_, report)| !plain(report));
    lines.extend(others.flat_map(|(id, report)| detail(root, id, report, &shared)));
    lines
}

fn detail(root: &Path, id: &str, report: &ScenarioReport, shared: &Shared<'_>) -> Vec<String> {
    let mut lines = vec![format!("\n{id}: {}", report.verdict.as_str())];
    let slack = report.slack.iter().map(|Slack { metric, amount, reason }| {
        format!("  slack of {amount} on {}: {reason}", metric.name())
    });
    let wavering = report.wavering.iter().map(|one| format!("  differs: {one}"));
    let notes = report.notes.iter().map(|note| format!("  {note}"));
    lines.extend(slack.chain(wavering).chain(notes));
    let live = report.live;
    let left = [
        (live.blocks, "blocks"),
        (live.bytes, "bytes"),
        (live.fds, "descriptors"),
        (live.tasks, "tasks"),
        (live.mapped, "mapped bytes"),
    ];
    let left = left.iter().filter(|(count, _)| *count > 0);
    let left: Vec<_> = left.map(|(count, unit)| format!("{count} {unit}")).collect();
    if !left.is_empty() {
        lines.push(format!("  still alive at the end: {}", left.join(", ")));
    }
    for leak in report.leaks.iter().take(MOST_SHOWN) {
        lines.push(format!("  {} blocks, {} bytes of  {}", leak.blocks, leak.bytes, leak.place));
        lines.extend(source::quote(root, &leak.place));
        lines.push(format!("      {}", leak.key));
    }
    let counts = report.recorded.as_ref().or(report.measured.as_ref());
    let ops = counts.map_or([1, 2], |counts| counts.ops);
    lines.extend(report.changes().iter().map(|change| words::change(change, ops, &report.unit)));
    let is_above = |site: &&SiteChange| shared.sites.contains_key(site.key.as_str());
    let (above, own): (Vec<_>, Vec<_>) = report.sites_changed.iter().partition(is_above);
    for site in own.iter().take(MOST_SHOWN) {
        lines.push(words::site(site, ops, &report.unit));
        lines.extend(site.place.as_deref().and_then(|place| source::quote(root, place)));
        lines.push(format!("      {}", site.key));
    }
    if own.len() > MOST_SHOWN {
        lines.push(format!("  and {} more sites (--format json has all)", own.len() - MOST_SHOWN));
    }
    lines.extend(
        above
            .iter()
            .take(MOST_SHOWN)
            .map(|site| format!("  as above  {}", spot(site.place.as_deref().unwrap_or("gone")))),
    );
    lines
}

fn size(bytes: u64) -> String {
    if bytes < 10_000 { format!("{bytes} B") } else { format!("{:.1}K", bytes as f64 / 1024.0) }
}
