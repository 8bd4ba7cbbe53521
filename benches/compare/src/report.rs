//! Reports: for a person in a terminal, for a program, for CI, and as a page.
//!
//! # Layout
//!
//! - `table`, `markdown`, `json`, `junit`, `html`: one file per format
//! - `plot`: the drawings of the page; `tree`: its call paths, callers first
//! - `headline`: the verdict, its reasons and the next step; `worst`: the rows that are farthest from a pass
//! - `summary`: the sum of all rows; `format`: the numbers of one row; `times`: those of a timing

use super::model::{Comparison, Timing};

#[cfg(test)]
mod fixture;
mod format;
mod headline;
mod html;
mod json;
mod junit;
mod markdown;
mod plot;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod times;
mod tree;
mod worst;

/// The format of a report on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal of 80 columns, in colours.
    Table,
    /// For a program: every number, durations in nanoseconds, effects as shares of base's cost.
    Json,
    /// For the summary of a CI job: changes first, the other rows folded.
    Markdown,
    /// For CI: a test case per row.
    Junit,
}

/// The whole report, ending in a line break.
///
/// # Errors
///
/// If JSON or XML cannot be written.
pub fn render(comparison: &Comparison, format: Format) -> anyhow::Result<String> {
    match format {
        Format::Table => Ok(table::render(comparison)),
        Format::Json => json::render(comparison),
        Format::Markdown => Ok(markdown::render(comparison)),
        Format::Junit => junit::render(comparison),
    }
}

/// What was measured until a signal came in `step`, for a terminal; `running` are timings that were not finished.
#[must_use]
pub fn stopped(comparison: &Comparison, running: Option<&Timing>, step: &str) -> String {
    table::stopped(comparison, running, step)
}

impl Format {
    /// Whether the reports of several services can follow each other.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Self::Table | Self::Markdown)
    }
}

/// The line above the report of one of several services.
#[must_use]
pub fn heading(service: &str, format: Format) -> String {
    match format {
        Format::Markdown => format!("## {service}\n\n"),
        _ => format!("== {service}\n"),
    }
}

/// The report as a page without scripts, that needs no other file and no network.
#[must_use]
pub fn html(comparison: &Comparison) -> String {
    html::render(comparison)
}
