use baselines::Verdict;
use bench_show::text::Text;
use bench_show::units;
use serde_json::{Value, json};

use super::row::RatioRow;

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

/// All rows; table and Markdown also give the reason for every missing ratio.
#[must_use]
pub fn render(rows: &[RatioRow], format: Format) -> String {
    match format {
        Format::Table => table(rows),
        Format::Json => json(rows),
        Format::Markdown => markdown(rows),
    }
}

const COLUMNS: [&str; 7] = ["id", "median", "floor", "ratio", "recorded", "within", "verdict"];

fn table(rows: &[RatioRow]) -> String {
    let mut lines = Vec::new();
    let mut open_group = "";
    for row in rows {
        // The group has a line of its own, because a full id and six numbers do not fit 80 columns.
        let (group, rest) = row.id.split_once('/').unwrap_or(("", &row.id));
        if group != open_group {
            let mut line = [const { String::new() }; 7];
            group.clone_into(&mut line[0]);
            lines.push(line);
            open_group = group;
        }
        lines.push(cells(format!(" {rest}"), row));
    }
    let mut text = Text::new(80);
    text.table(COLUMNS, lines, &[6]);
    text.into_string() + &summary(rows)
}

fn markdown(rows: &[RatioRow]) -> String {
    let line = |cells: [String; 7]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(COLUMNS.map(str::to_owned));
    text += "| --- | ---: | ---: | ---: | ---: | ---: | --- |\n";
    for row in rows {
        text += &line(cells(format!("`{}`", row.id), row));
    }
    text + "\n" + &summary(rows)
}

/// The cells of a row, with `id` as it is shown. The tolerance is a factor in both directions.
fn cells(id: String, row: &RatioRow) -> [String; 7] {
    let (measured, recorded) = (row.measured.as_ref(), row.recorded.as_ref());
    let or_dash = |cell: Option<String>| cell.unwrap_or_else(|| "–".to_owned());
    [
        id,
        or_dash(measured.map(|pair| units::time(pair.median_ns))),
        or_dash(measured.map(|pair| units::time(pair.floor_ns))),
        or_dash(measured.map(|pair| units::significant(pair.ratio()))),
        or_dash(recorded.map(|recorded| units::significant(recorded.ratio))),
        or_dash(recorded.map(|recorded| format!("×÷{:.2}", 1.0 + recorded.tolerance))),
        row.verdict.as_str().to_owned(),
    ]
}

/// Why ratios are missing, and `41 pass, 1 regressed` in the order in which verdicts are declared.
fn summary(rows: &[RatioRow]) -> String {
    let refused = rows.iter().filter_map(|row| Some((&row.id, row.refused.as_ref()?)));
    let refused: String = refused.map(|(id, refusal)| format!("{id}: {refusal}\n")).collect();
    let counts = Verdict::ALL.iter().filter_map(|verdict| {
        let count = rows.iter().filter(|row| row.verdict == *verdict).count();
        (count > 0).then(|| format!("{count} {}", verdict.as_str()))
    });
    refused + &counts.collect::<Vec<_>>().join(", ") + "\n"
}

fn json(rows: &[RatioRow]) -> String {
    let ratios: serde_json::Map<String, Value> = rows
        .iter()
        .map(|row| {
            let (measured, recorded) = (row.measured.as_ref(), row.recorded.as_ref());
            let value = json!({
                "verdict": row.verdict.as_str(),
                "ratio": measured.map(|pair| pair.ratio()),
                "median_ns": measured.map(|pair| pair.median_ns),
                "floor_ns": measured.map(|pair| pair.floor_ns),
                "recorded": recorded.map(|recorded| recorded.ratio),
                "tolerance": recorded.map(|recorded| recorded.tolerance),
                "refused": row.refused.as_ref().map(ToString::to_string),
            });
            (row.id.clone(), value)
        })
        .collect();
    format!("{:#}\n", json!({ "schema": 1, "ratios": ratios }))
}
