//! How a comparison is shown: to a person in a terminal.
//!
//! # Layout
//!
//! - `table`: for a person
//! - `outcome`: what all rows come to, and what to do about it
//! - `words`: one row's numbers as people read them

use super::model::Comparison;

#[cfg(test)]
mod fixture;
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
}

/// All of it, ending in a line break.
pub fn render(comparison: &Comparison, format: Format) -> anyhow::Result<String> {
    match format {
        Format::Table => Ok(table::render(comparison)),
    }
}
