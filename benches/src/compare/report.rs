//! How a comparison is shown: to a person in a terminal, to a program, and to CI.
//!
//! # Layout
//!
//! - `table`, `markdown`, `json`, `junit`: one format a file
//! - `outcome`: what all rows come to, and what to do about it
//! - `words`: one row's numbers as people read them

use super::model::Comparison;

#[cfg(test)]
mod fixture;
mod json;
mod junit;
mod markdown;
mod outcome;
mod table;
#[cfg(test)]
mod tests;
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
