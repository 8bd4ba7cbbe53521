//! How a comparison is shown: to a person in a terminal, to a program, to CI, and as a page to keep.
//!
//! # Layout
//!
//! - `table`, `markdown`, `json`, `junit`, `html`: one format a file
//! - `plot`: the drawings of the page; `tree`: its call paths, callers first
//! - `outcome`: what all rows come to, and what to do about it
//! - `words`: one row's numbers as people read them

use super::model::Comparison;

#[cfg(test)]
mod fixture;
mod html;
mod json;
mod junit;
mod markdown;
mod outcome;
mod plot;
mod table;
#[cfg(test)]
mod tests;
mod tree;
mod words;

/// How a comparison is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal of 80 columns.
    Table,
    /// For a program: every number, durations in nanoseconds, effects as shares of base's cost.
    Json,
    /// For the summary of a CI job: what matters first, the rest folded.
    Markdown,
    /// For CI: a test case a row.
    Junit,
}

/// All of it, ending in a line break.
///
/// # Errors
///
/// If the writers of JSON or XML refuse, which no comparison is known to bring about.
pub fn render(comparison: &Comparison, format: Format) -> anyhow::Result<String> {
    match format {
        Format::Table => Ok(table::render(comparison)),
        Format::Json => json::render(comparison),
        Format::Markdown => Ok(markdown::render(comparison)),
        Format::Junit => junit::render(comparison),
    }
}

/// One page that needs nothing else: no script, no other file, no network.
#[must_use]
pub fn html(comparison: &Comparison) -> String {
    html::render(comparison)
}
