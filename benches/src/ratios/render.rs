use std::fmt::Write;

use baselines::Verdict;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use super::Judgement;
use bench_show::units;

/// How judgements are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal of 80 columns.
    Table,
    /// For a program: full ids, nanoseconds, ratios.
    Json,
    /// For a pull request.
    Markdown,
}

/// All of them, and in what is for people why the ones without a ratio have none.
#[must_use]
pub fn render(judgements: &[Judgement], format: Format) -> String {
    match format {
        Format::Table => table(judgements),
        Format::Json => json(judgements),
        Format::Markdown => markdown(judgements),
    }
}

const COLUMNS: [&str; 7] = ["id", "median", "floor", "ratio", "recorded", "within", "verdict"];

/// The columns behind the id. The tolerance is a factor both ways, and printed as one.
fn cells(judged: &Judgement) -> [String; 6] {
    let measured = judged.measured.as_ref();
    let recorded = judged.recorded.as_ref();
    let or_dash = |cell: Option<String>| cell.unwrap_or_else(|| "–".to_owned());
    [
        or_dash(measured.map(|pair| units::time(pair.median_ns))),
        or_dash(measured.map(|pair| units::time(pair.floor_ns))),
        or_dash(measured.map(|pair| units::significant(pair.ratio()))),
        or_dash(recorded.map(|recorded| units::significant(recorded.ratio))),
        or_dash(recorded.map(|recorded| format!("×÷{:.2}", 1.0 + recorded.tolerance))),
        judged.verdict.as_str().to_owned(),
    ]
}

fn table(judgements: &[Judgement]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(COLUMNS);
    let mut open_group = "";
    for judged in judgements {
        // The group has a line of its own, or a row would not fit 80 columns.
        let (group, rest) = judged.id.split_once('/').unwrap_or(("", &judged.id));
        if group != open_group {
            table.add_row([group]);
            open_group = group;
        }
        table.add_row([format!(" {rest}")].into_iter().chain(cells(judged)));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if (1..=5).contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = String::new();
    for line in table.lines() {
        push_line(&mut text, line.trim_end());
    }
    text + &refusals(judgements) + &summary(judgements)
}

fn markdown(judgements: &[Judgement]) -> String {
    let mut text = String::new();
    push_line(&mut text, &format!("| {} |", COLUMNS.join(" | ")));
    push_line(&mut text, "| --- | ---: | ---: | ---: | ---: | ---: | --- |");
    for judged in judgements {
        push_line(&mut text, &format!("| `{}` | {} |", judged.id, cells(judged).join(" | ")));
    }
    text + "\n" + &refusals(judgements) + &summary(judgements)
}

fn json(judgements: &[Judgement]) -> String {
    let ratios: serde_json::Map<String, Value> = judgements
        .iter()
        .map(|judged| {
            let (measured, recorded) = (judged.measured.as_ref(), judged.recorded.as_ref());
            let value = json!({
                "verdict": judged.verdict.as_str(),
                "ratio": measured.map(super::Pair::ratio),
                "median_ns": measured.map(|pair| pair.median_ns),
                "floor_ns": measured.map(|pair| pair.floor_ns),
                "recorded": recorded.map(|recorded| recorded.ratio),
                "tolerance": recorded.map(|recorded| recorded.tolerance),
                "refused": judged.refused.as_ref().map(ToString::to_string),
            });
            (judged.id.clone(), value)
        })
        .collect();
    format!("{:#}\n", json!({ "schema": 1, "ratios": ratios }))
}

fn refusals(judgements: &[Judgement]) -> String {
    let mut text = String::new();
    for judged in judgements {
        if let Some(refusal) = &judged.refused {
            push_line(&mut text, &format!("{}: {refusal}", judged.id));
        }
    }
    text
}

/// `41 pass, 1 regressed`, in the order in which verdicts are declared.
fn summary(judgements: &[Judgement]) -> String {
    let counts = Verdict::ALL.iter().filter_map(|verdict| {
        let count = judgements.iter().filter(|judged| judged.verdict == *verdict).count();
        (count > 0).then(|| format!("{count} {}", verdict.as_str()))
    });
    counts.collect::<Vec<_>>().join(", ") + "\n"
}

fn push_line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes every line");
}
