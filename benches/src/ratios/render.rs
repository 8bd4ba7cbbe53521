use baselines::Verdict;
use bench_show::text::Text;
use bench_show::units;
use serde_json::{Value, json};

use super::judge::RatioRow;

/// How rows are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal of 80 columns.
    Table,
    /// For a program: full ids, nanoseconds, ratios.
    Json,
    /// For a pull request.
    Markdown,
}

/// All rows, and how many there are of each verdict.
#[must_use]
pub fn render(rows: &[RatioRow], format: Format) -> String {
    match format {
        Format::Table => table(rows),
        Format::Json => json(rows),
        Format::Markdown => markdown(rows),
    }
}

const COLUMNS: [&str; 8] = ["id", "median", "floor", "ratio", "±", "recorded", "within", "verdict"];

fn table(rows: &[RatioRow]) -> String {
    let mut lines = Vec::new();
    let mut open_group = "";
    for row in rows {
        // The group has a line of its own, because a full id and six numbers do not fit 80 columns.
        let (group, rest) = row.id.split_once('/').unwrap_or(("", &row.id));
        if group != open_group {
            let mut line = [const { String::new() }; 8];
            group.clone_into(&mut line[0]);
            lines.push(line);
            open_group = group;
        }
        lines.push(cells(format!(" {rest}"), row));
    }
    let mut text = Text::new(80);
    text.table(COLUMNS, lines, &[7]);
    text.into_string() + &summary(rows)
}

fn markdown(rows: &[RatioRow]) -> String {
    let line = |cells: [String; 8]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(COLUMNS.map(str::to_owned));
    text += "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n";
    for row in rows {
        text += &line(cells(format!("`{}`", row.id), row));
    }
    text + "\n" + &summary(rows)
}

/// The cells of a row, with `id` as it is shown.
fn cells(id: String, row: &RatioRow) -> [String; 8] {
    let (measured, recorded) = (row.measured.as_ref(), row.recorded.as_ref());
    let or_dash = |cell: Option<String>| cell.unwrap_or_else(|| "–".to_owned());
    let estimate = measured.map(|one| one.estimate);
    let half = |low: f64, high: f64| ((high / low).sqrt() - 1.0) * 100.0;
    [
        id,
        or_dash(measured.map(|one| units::time(one.median_ns))),
        or_dash(measured.map(|one| units::time(one.floor_ns))),
        or_dash(estimate.map(|one| format!("{:.3}", one.ratio))),
        or_dash(
            estimate
                .map(|one| half(one.low, one.high))
                .filter(|half| *half < 1000.0)
                .map(|half| format!("{half:.1} %")),
        ),
        or_dash(recorded.map(|recorded| format!("{:.3}", recorded.ratio))),
        or_dash(recorded.and_then(|one| Some(format!("{} %", percent(one.tolerance?))))),
        name(row).to_owned(),
    ]
}

/// A tolerance without superfluous digits.
fn percent(share: f64) -> f64 {
    (share * 1000.0).round() / 10.0
}

const NOT_JUDGED: &str = "not judged";

fn name(row: &RatioRow) -> &'static str {
    row.verdict.map_or(NOT_JUDGED, Verdict::as_str)
}

/// `41 pass, 1 regressed` in the order in which verdicts are declared.
fn summary(rows: &[RatioRow]) -> String {
    let names = Verdict::ALL.iter().map(|verdict| verdict.as_str()).chain([NOT_JUDGED]);
    let counts = names.filter_map(|verdict| {
        let count = rows.iter().filter(|row| name(row) == verdict).count();
        (count > 0).then(|| format!("{count} {verdict}"))
    });
    counts.collect::<Vec<_>>().join(", ") + "\n"
}

fn json(rows: &[RatioRow]) -> String {
    let ratios: serde_json::Map<String, Value> = rows
        .iter()
        .map(|row| {
            let (measured, recorded) = (row.measured.as_ref(), row.recorded.as_ref());
            let value = json!({
                "verdict": name(row),
                "ratio": measured.map(|one| one.estimate.ratio),
                "low": measured.map(|one| one.estimate.low),
                "high": measured.map(|one| one.estimate.high),
                "median_ns": measured.map(|one| one.median_ns),
                "floor_ns": measured.map(|one| one.floor_ns),
                "recorded": recorded.map(|recorded| recorded.ratio),
                "tolerance": recorded.and_then(|recorded| recorded.tolerance),
            });
            (row.id.clone(), value)
        })
        .collect();
    format!("{:#}\n", json!({ "schema": 2, "ratios": ratios }))
}
