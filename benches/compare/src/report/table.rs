use bench_show::colour::Tone;
use bench_show::text::Text;
use bench_show::units;
use comfy_table::{Table, presets};

use super::format::{self, Shared};
use super::headline::{self, tone_of};
use super::summary;
use super::times;
use crate::model::{Comparison, ExactRow, InstructionRow, Part, SiteRow, Timing, TimingUnit};

/// Columns of the terminal.
const WIDTH: usize = 80;

/// Most call sites of a scenario, and most functions of a row of instructions; the others are counted.
const DETAILS: usize = 8;

/// Widest id in the first column of the timings; a wider id gets a line of its own.
const TIMING_ID: usize = 17;

/// Widest id in the first column of the instructions.
const INSTRUCTIONS_ID: usize = 36;

pub(super) fn render(comparison: &Comparison) -> String {
    let mut text = Text::new(WIDTH);
    let (base, head) = (summary::side(&comparison.base), summary::side(&comparison.head));
    let word = headline::word(comparison);
    let tone = headline::tone(comparison);
    text.verdict(tone, &word, &format!(": {base} → {head}"));
    for reason in headline::reasons(comparison) {
        text.wrapped("  ", &reason);
    }
    text.wrapped("  ", &summary::summary(comparison));
    if let Some(timing) = opened(&mut text, "timing", &comparison.timing) {
        timings(&mut text, timing, Judged::Yes);
    }
    if let Some(rows) = opened(&mut text, "exact counts", &comparison.exact) {
        exact(&mut text, rows);
    }
    if let Some(rows) = opened(&mut text, "instructions per operation", &comparison.instructions) {
        instructions(&mut text, rows);
    }
    text.line("");
    text.verdict(tone, &word, &format!(": {}", summary::summary(comparison)));
    text.wrapped("", &headline::last_word(comparison));
    text.into_string()
}

/// What was measured until a signal came, in step `step`; `running` are timings that were not finished.
pub(super) fn stopped(comparison: &Comparison, running: Option<&Timing>, step: &str) -> String {
    let mut text = Text::new(WIDTH);
    let (base, head) = (summary::side(&comparison.base), summary::side(&comparison.head));
    text.verdict(Tone::Doubtful, "STOPPED", &format!(": {base} → {head}"));
    text.wrapped("  ", &format!("in step {step}: this is no verdict"));
    if let Some(rows) = finished(&mut text, "exact counts", &comparison.exact) {
        exact(&mut text, rows);
    }
    if let Some(timing) = finished(&mut text, "timing", &comparison.timing) {
        timings(&mut text, timing, Judged::Yes);
    }
    let running = running.filter(|timing| !timing.rows.is_empty());
    if let (Part::NotMeasured(_), Some(timing)) = (&comparison.timing, running) {
        text.heading("timing, not finished");
        timings(&mut text, timing, Judged::No);
    }
    text.line("");
    let end = ": no verdict, and no file was written; compare again for one";
    text.verdict(Tone::Doubtful, "STOPPED", end);
    text.into_string()
}

/// Whether the verdicts of rows count.
#[derive(Clone, Copy, PartialEq)]
enum Judged {
    Yes,
    No,
}

fn timings(text: &mut Text, timing: &Timing, judged: Judged) {
    let outcome = if judged == Judged::Yes { "verdict" } else { "so far" };
    let mut rows =
        Rows::new(TIMING_ID, ["", "base", "head", "change", "interval", "null", "seen", outcome]);
    let mut open_group = "";
    for row in times::grouped(&timing.rows) {
        let (group, rest) = row.id.split_once('/').unwrap_or(("", &row.id));
        if group != open_group && !group.is_empty() {
            rows.title(group);
        }
        open_group = group;
        let mut name = if group.is_empty() { rest.to_owned() } else { format!(" {rest}") };
        if row.unit == TimingUnit::Cpu && !row.id.contains("cpu") {
            name += " cpu";
        }
        let rounds = units::counted(row.rounds.len() as u64, "round");
        let (outcome, tone) = match judged {
            Judged::Yes => (row.verdict.as_str(), tone_of(row.verdict)),
            Judged::No => (rounds.as_str(), Tone::Faint),
        };
        rows.add(&name, times::cells(row), outcome, tone);
        if let Some(p99) = row.p99_ns {
            let mut cells = [const { String::new() }; 6];
            [cells[0], cells[1]] = p99.map(units::time);
            rows.add("   p99", cells, "shown", Tone::Faint);
        }
    }
    rows.print(text);
    for (id, why) in &timing.left_out {
        text.wrapped("", &format!("left out: {id}: {why}"));
    }
    for (id, hint) in &timing.hints {
        text.wrapped("", &format!("hint: {id}: {hint}"));
    }
    for (id, why) in times::noise(timing).filter(|_| judged == Judged::Yes) {
        text.wrapped("", &format!("too noisy: {id}: {why}"));
    }
    let confirmed: Vec<_> =
        timing.rows.iter().filter(|row| row.confirmed).map(|row| row.id.as_str()).collect();
    if !confirmed.is_empty() && judged == Judged::Yes {
        text.wrapped("", &format!("judged on confirmation rounds: {}", confirmed.join(", ")));
    }
    if timing.rows.is_empty() {
        return;
    }
    text.line("base, head: medians over rounds; change: within rounds, so it may differ");
    text.line("change, interval, null, seen: % of base's number; slower: time + or rate -");
    text.line(&format!(
        "interval: at {}; a change is called from ±{} on; p99 is never judged",
        units::percent(timing.confidence),
        units::percent(timing.called_from)
    ));
    text.line("null: the change of a second copy of base, which should be 0");
    text.line("seen: the smallest change that nine of ten runs would call");
}

fn exact(text: &mut Text, rows: &[ExactRow]) {
    if rows.is_empty() {
        text.line(format::NO_ROW);
    }
    let shared = format::shared(rows);
    for (key, (scenarios, place)) in &shared {
        text.line(&format!("in {scenarios} scenarios  {place}"));
        text.wrapped("      ", key);
    }
    let (one_sided, both): (Vec<_>, Vec<_>) =
        rows.iter().partition(|row| row.base.is_none() || row.head.is_none());
    let (equal, mut other): (Vec<_>, Vec<_>) =
        both.into_iter().partition(|row| summary::is_equal(row));
    other.sort_by_key(|row| summary::urgency(row.verdict));
    for row in other {
        scenario(text, row, &shared);
    }
    if !equal.is_empty() {
        let scenarios = units::counted(equal.len() as u64, "scenario");
        text.line(&format!("{scenarios} equal to the block and the byte"));
    }
    for row in one_sided {
        text.wrapped("", &format!("{}: {} ({})", format::only(row), row.id, row.verdict.as_str()));
        for note in &row.notes {
            text.wrapped("  ", note);
        }
    }
}

fn scenario(text: &mut Text, row: &ExactRow, shared: &Shared<'_>) {
    let verdict = tone_of(row.verdict).paint(row.verdict.as_str());
    text.line(&format!("{}: {verdict}", row.id));
    for line in format::exact(row).iter().chain(&row.notes) {
        text.wrapped("  ", line);
    }
    let is_above = |site: &&SiteRow| shared.contains_key(site.key.as_str());
    let (above, own): (Vec<_>, Vec<_>) = row.sites.iter().partition(is_above);
    for site in own.iter().take(DETAILS) {
        let moved = format::moved(row, site.base, site.head);
        text.wrapped("  ", &format!("{moved}  {}", format::place(site)));
        text.wrapped("      ", &site.key);
    }
    if own.len() > DETAILS {
        text.line(&format!("  and {} more sites (--format json has all)", own.len() - DETAILS));
    }
    for site in above {
        text.wrapped("  ", &format!("as above  {}", format::place(site)));
    }
}

/// Scenarios whose functions are listed.
const EXPLAINED: usize = 1;

fn instructions(text: &mut Text, rows: &[InstructionRow]) {
    let mut table = Rows::new(INSTRUCTIONS_ID, ["", "base", "head", "change", "verdict"]);
    for row in rows {
        let verdict = row.verdict;
        table.add(&row.id, format::instruction_cells(row), verdict.as_str(), tone_of(verdict));
    }
    table.print(text);
    let mut explained: Vec<_> = rows.iter().filter(|row| !row.functions.is_empty()).collect();
    // One cause shows in many scenarios, most clearly in the one with the largest share.
    let share = |row: &InstructionRow| match (row.base, row.head) {
        (Some(base), Some(head)) => (head / base).ln().abs(),
        _ => 0.0,
    };
    explained.sort_by(|a, b| share(b).total_cmp(&share(a)));
    if explained.len() > EXPLAINED {
        let more = explained.split_off(EXPLAINED).len();
        text.line(&format!(
            "the scenario that changed most; {more} more in --html and --format json"
        ));
    }
    for row in explained {
        text.line(&format!("{}: instructions of its own per {}", row.id, row.unit));
        for function in row.functions.iter().take(DETAILS) {
            let [base, head] = [function.base, function.head];
            let (moved, base) = (format::signed(head - base), format::number(base));
            let file = function.file.as_deref().unwrap_or_default();
            text.wrapped("  ", &format!("{moved} ({base} → {})  {file}", format::number(head)));
            text.wrapped("      ", &function.name);
        }
        if row.functions.len() > DETAILS {
            text.line(&format!(
                "  and {} more (--format json has all)",
                row.functions.len() - DETAILS
            ));
        }
    }
}

/// Prints the heading of a part and returns its results, if it has any.
fn opened<'a, T>(text: &mut Text, name: &str, part: &'a Part<T>) -> Option<&'a T> {
    match part.why() {
        _ if !part.is_shown() => {}
        None => text.heading(name),
        Some(why) => text.heading(&format!("{name}: {}: {why}", part.state())),
    }
    part.measured()
}

/// The same for a part of a comparison that was stopped: nothing is said of one that was not reached.
fn finished<'a, T>(text: &mut Text, name: &str, part: &'a Part<T>) -> Option<&'a T> {
    if matches!(part, Part::NotMeasured(_)) { None } else { opened(text, name, part) }
}

/// A table with titles between its rows. A wide id becomes a title, so that the first column stays narrow.
struct Rows {
    table: Table,
    titles: Vec<(usize, String)>,
    /// The last cell of each row, and its colour.
    outcomes: Vec<(String, Tone)>,
    id_width: usize,
}

impl Rows {
    fn new<const N: usize>(id_width: usize, header: [&str; N]) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(header);
        Self { table, titles: Vec::new(), outcomes: Vec::new(), id_width }
    }

    fn title(&mut self, title: &str) {
        self.titles.push((self.outcomes.len(), title.to_owned()));
    }

    fn add<const N: usize>(&mut self, id: &str, cells: [String; N], outcome: &str, tone: Tone) {
        let fits = id.chars().count() <= self.id_width;
        if !fits {
            self.title(id);
        }
        let id = if fits { id } else { "" };
        let (id, outcome) = (id.to_owned(), outcome.to_owned());
        self.table.add_row([id].into_iter().chain(cells).chain([outcome.clone()]));
        self.outcomes.push((outcome, tone));
    }

    fn print(mut self, text: &mut Text) {
        if self.outcomes.is_empty() {
            return text.line(format::NO_ROW);
        }
        let last = self.table.column_count().saturating_sub(1);
        text.set(&mut self.table, |index| (1..last).contains(&index));
        let mut titles = self.titles.into_iter().peekable();
        for (index, line) in self.table.lines().enumerate() {
            while let Some((_, title)) = titles.next_if(|(at, _)| at + 1 == index) {
                text.line(&title);
            }
            // Below the header.
            let outcome = index.checked_sub(1).and_then(|at| self.outcomes.get(at));
            let painted = outcome.and_then(|(outcome, tone)| {
                Some(format!("{}{}", line.trim_end().strip_suffix(outcome)?, tone.paint(outcome)))
            });
            text.line(&painted.unwrap_or(line));
        }
    }
}
