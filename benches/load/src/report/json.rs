//! `report.json`: everything about a run but the buckets of its distributions, which are in the interval log.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::summary::Summary;
use crate::validator::Assessment;
use load_plan::model::{Run, SCHEMA};

mod view;

use view::{Report, Saved};

/// JSON Schema of the report, as text. Every key of a report is described here.
pub const JSON_SCHEMA: &str = include_str!("json/schema.json");

/// The report with its keys in the order of a reader's questions, and one interval per line.
///
/// # Errors
///
/// If the profile has no form in JSON. No profile that was parsed is known to cause that.
pub fn text(run: &Run, assessment: &Assessment) -> Result<String> {
    Ok(serde_json::to_string_pretty(&Report::new(run, assessment)?)? + "\n")
}

/// Whether `text` is a report of this tool, of any version.
pub(super) fn is_ours(text: &str) -> bool {
    let value: Option<Value> = serde_json::from_str(text).ok();
    value.is_some_and(|value| value["tool"] == view::TOOL && value["schema"].is_u64())
}

/// The run that `text` reports, without the buckets of its distributions.
pub(super) fn parse(text: &str) -> Result<Run> {
    let value: Value = serde_json::from_str(text).context("it is not JSON")?;
    let tool = view::TOOL;
    ensure!(value["tool"] == tool, "it is not a report of {tool}");
    let schema = &value["schema"];
    ensure!(*schema == SCHEMA, "its schema is {schema}, and this {tool} reads {SCHEMA}");
    let saved: Saved = serde_json::from_str(text).context("it does not match ws-load schema")?;
    let (run, overall) = saved.into_run();
    ensure!(
        overall.matches(&Summary::of(&run).overall),
        "its intervals do not add up to the counts of the whole run"
    );
    Ok(run)
}
