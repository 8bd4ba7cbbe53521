use comfy_table::{Table, presets};

use super::outcome;
use super::words::{self, Shared};
use crate::model::{
    Comparison, ExactRow, InstructionRow, Part, SiteRow, Timing, TimingRow, TimingUnit,
};
use bench_show::text::Text;
use bench_show::units;

/// Columns of a terminal.
const WIDTH: usize = 80;

/// Call sites shown of one scenario, and functions of one row of instructions; the rest is counted.
const DETAILS: usize = 8;

/// Widest ids that may stand in a column, of timings and of instructions; a longer one has a line of its own.
const TIMING_ID: usize = 17;
const INSTRUCTIONS_ID: usize = 36;

pub(super) fn render(comparison: &Comparison) -> String {
    let mut text = Text::new(WIDTH);
    let (base, head) = (outcome::side(&comparison.base), outcome::side(&comparison.head));
    text.wrapped("", &format!("{base} → {head}"));
    if let Some(timing) = opened(&mut text, "timing", &comparison.timing) {
        timings(&mut text, timing);
    }
    if let Some(rows) = opened(&mut text, "exact counts", &comparison.exact) {
        exact(&mut text, rows);
    }
    if let Some(rows) = opened(&mut text, "instructions per operation", &comparison.instructions) {
        instructions(&mut text, rows);
    }
    text.line("");
    text.wrapped("", &outcome::summary(comparison));
    text.wrapped("", &outcome::last_word(comparison));
    text.into_string()
}

fn timings(text: &mut Text, timing: &Timing) {
    let mut rows =
        Rows::new(TIMING_ID, ["", "base", "head", "change", "interval", "null", "seen", "verdict"]);
    let mut open_group = "";
    for row in &timing.rows {
        let (group, rest) = row.id.split_once('/').unwrap_or(("", &row.id));
        if group != open_group && !group.is_empty() {
            rows.title(group);
        }
        open_group = group;
        let mut name = if group.is_empty() { rest.to_owned() } else { format!(" {rest}") };
        if row.unit == TimingUnit::Cpu && !row.id.contains("cpu") {
            name += " cpu";
        }
        rows.add(&name, timing_cells(row));
        if let Some(p99) = row.p99_ns {
            let mut cells = [const { String::new() }; 7];
            [cells[0], cells[1]] = p99.map(units::time);
            cells[6].push_str("shown");
            rows.add("   p99", cells);
        }
    }
    rows.print(text);
    for (id, why) in &timing.left_out {
        text.wrapped("", &format!("left out: {id}: {why}"));
    }
    let confirmed: Vec<_> =
        timing.rows.iter().filter(|row| row.confirmed).map(|row| row.id.as_str()).collect();
    if !confirmed.is_empty() {
        text.wrapped(
            "",
            &format!("judged on data taken after suspicion: {}", confirmed.join(", ")),
        );
    }
    if timing.rows.is_empty() {
        return;
    }
    text.line("change, interval, null, seen: % of base's cost of an operation; + is slower");
    text.line(&format!(
        "interval: at {} %; a change is called from ±{} % on; p99 is never judged",
        words::number(timing.confidence * 100.0),
        words::number(timing.called_from * 100.0)
    ));
    text.line("null: what a second copy of base came to, which should be 0");
    text.line("seen: the smallest change that nine of ten runs would have seen");
}

fn timing_cells(row: &TimingRow) -> [String; 7] {
    [
        words::quantity(row.unit, row.base_ns),
        words::quantity(row.unit, row.head_ns),
        words::percent(row.effect),
        words::interval(row.interval),
        words::percent(row.null),
        words::percent_unsigned(row.detectable),
        row.verdict.as_str().to_owned(),
    ]
}

fn exact(text: &mut Text, rows: &[ExactRow]) {
    if rows.is_empty() {
        text.line(words::NO_ROW);
    }
    let shared = words::shared(rows);
    for (key, (scenarios, place)) in &shared {
        text.line(&format!("in {scenarios} scenarios  {place}"));
        text.wrapped("      ", key);
    }
    let (one_sided, both): (Vec<_>, Vec<_>) =
        rows.iter().partition(|row| row.base.is_none() || row.head.is_none());
    let (equal, mut other): (Vec<_>, Vec<_>) =
        both.into_iter().partition(|row| outcome::is_equal(row));
    other.sort_by_key(|row| outcome::urgency(row.verdict));
    for row in other {
        scenario(text, row, &shared);
    }
    if !equal.is_empty() {
        text.line(&format!("{} equal to the block and the byte", words::scenarios(equal.len())));
    }
    for row in one_sided {
        text.wrapped("", &format!("{}: {} ({})", words::only(row), row.id, row.verdict.as_str()));
        for note in &row.notes {
            text.wrapped("  ", note);
        }
    }
}

fn scenario(text: &mut Text, row: &ExactRow, shared: &Shared<'_>) {
    text.line(&format!("{}: {}", row.id, row.verdict.as_str()));
    for words in words::exact(row).iter().chain(&row.notes) {
        text.wrapped("  ", words);
    }
    let own: Vec<&SiteRow> =
        row.sites.iter().filter(|site| !shared.contains_key(site.key.as_str())).collect();
    for site in own.iter().take(DETAILS) {
        let moved = words::moved(row, site.base, site.head);
        text.wrapped("  ", &format!("{moved}  {}", words::place(site)));
        text.wrapped("      ", &site.key);
    }
    if own.len() > DETAILS {
        text.line(&format!("  and {} more sites (--format json has all)", own.len() - DETAILS));
    }
    if own.len() < row.sites.len() {
        text.line(&format!("  and {} of the sites above", row.sites.len() - own.len()));
    }
}

/// Scenarios whose functions are listed.
const EXPLAINED: usize = 1;

fn instructions(text: &mut Text, rows: &[InstructionRow]) {
    let mut table = Rows::new(INSTRUCTIONS_ID, ["", "base", "head", "change", "verdict"]);
    for row in rows {
        table.add(
            &row.id,
            [
                words::or_none(row.base),
                words::or_none(row.head),
                words::change(row.base, row.head),
                row.verdict.as_str().to_owned(),
            ],
        );
    }
    table.print(text);
    let mut explained: Vec<_> = rows.iter().filter(|row| !row.functions.is_empty()).collect();
    // One cause shows in many scenarios, most clearly where there is little else.
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
            let (moved, base) = (words::signed(head - base), words::number(base));
            let file = function.file.as_deref().unwrap_or_default();
            text.wrapped("  ", &format!("{moved} ({base} → {})  {file}", words::number(head)));
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

/// The heading of a part, and the data if there is any.
fn opened<'a, T>(text: &mut Text, name: &str, part: &'a Part<T>) -> Option<&'a T> {
    match part {
        Part::Measured(data) => {
            text.heading(name);
            return Some(data);
        }
        Part::NotMeasured(why) => text.heading(&format!("{name}: not measured: {why}")),
        Part::Failed(why) => text.heading(&format!("{name}: failed: {why}")),
    }
    None
}

/// A table in which a line may stand alone, or a column would be as wide as the longest id.
struct Rows {
    table: Table,
    titles: Vec<(usize, String)>,
    rows: usize,
    id_width: usize,
}

impl Rows {
    fn new<const N: usize>(id_width: usize, header: [&str; N]) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(header);
        Self { table, titles: Vec::new(), rows: 0, id_width }
    }

    fn title(&mut self, title: &str) {
        self.titles.push((self.rows, title.to_owned()));
    }

    fn add<const N: usize>(&mut self, id: &str, cells: [String; N]) {
        let fits = id.chars().count() <= self.id_width;
        if !fits {
            self.title(id);
        }
        let id = if fits { id } else { "" };
        self.table.add_row([id.to_owned()].into_iter().chain(cells));
        self.rows += 1;
    }

    fn print(mut self, text: &mut Text) {
        if self.rows == 0 {
            return text.line(words::NO_ROW);
        }
        let last = self.table.column_count().saturating_sub(1);
        text.set(&mut self.table, |index| (1..last).contains(&index));
        let mut titles = self.titles.into_iter().peekable();
        for (index, line) in self.table.lines().enumerate() {
            while let Some((_, title)) = titles.next_if(|(at, _)| at + 1 == index) {
                text.line(&title);
            }
            text.line(&line);
        }
    }
}
