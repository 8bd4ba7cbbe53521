//! `report.json`: everything about a run but the buckets of its distributions, which are in the interval log.

use anyhow::{Context, Result, ensure};
use serde_json::{Serializer, Value};

use crate::summary::Summary;
use crate::validator::Assessment;
use load_plan::model::{Run, SCHEMA};

mod lines;
mod read;
mod view;
mod write;

use lines::Lines;
use view::Report;

/// The word in [`Report::tool`].
const TOOL: &str = "ws-load";

/// The report as a value, its keys sorted.
///
/// # Errors
///
/// If the profile has no form in JSON, which no profile that was read is known to bring about.
pub fn render(run: &Run, assessment: &Assessment) -> Result<Value> {
    Ok(serde_json::to_value(Report::new(run, assessment))?)
}

/// The same as text, its keys in the order of [`schema`], an interval or a threshold a line.
///
/// # Errors
///
/// As [`render`].
pub fn text(run: &Run, assessment: &Assessment) -> Result<String> {
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, Lines::default());
    serde::Serialize::serialize(&Report::new(run, assessment), &mut serializer)?;
    text.push(b'\n');
    Ok(String::from_utf8(text)?)
}

/// JSON Schema of the report.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Report).to_value()
}

/// Whether `text` is a report of this tool, of whatever version.
pub(super) fn is_ours(text: &str) -> bool {
    let value: Option<Value> = serde_json::from_str(text).ok();
    value.is_some_and(|value| value["tool"] == TOOL && value["schema"].is_u64())
}

/// The run that `text` reports, without the buckets of its distributions.
///
/// # Errors
///
/// If it is not a report, is one of another version, or does not add up.
pub fn parse(text: &str) -> Result<Run> {
    let value: Value = serde_json::from_str(text).context("it is not JSON")?;
    ensure!(value["tool"] == TOOL, "it is no report of {TOOL}");
    let schema = &value["schema"];
    ensure!(*schema == SCHEMA, "its schema is {schema}, and this {TOOL} reads {SCHEMA}");
    let report: Report = serde_json::from_str(text).context("it is not as its schema has it")?;
    let said = report.overall.counted();
    let run = report.into_run();
    ensure!(
        view::Stretch::new(&Summary::of(&run).overall).counted() == said,
        "its intervals do not add up to what it says of the whole"
    );
    Ok(run)
}
