//! Shows a run: in a terminal, to programs, to CI, to the HdrHistogram tools, and as a page to keep.
//!
//! # Layout
//!
//! - [`table`], [`json`], `csv`, `junit`, `interval_log`, `html`: one format each
//! - [`diff`]: two reports beside each other; [`lines`], [`open_metrics`]: a run while it goes on
//! - [`directory`]: writes all of them into a folder, and reads the run back; [`aside`]: how a file is replaced
//! - `chart`: the drawings of the page; `timeline`: the points that they draw; `histogram`: that of the table
//! - `format`, `limits`: what several formats say; `next`: what to type next

pub mod aside;
mod chart;
mod csv;
pub mod diff;
pub mod directory;
#[cfg(test)]
pub(crate) mod fixture;
mod format;
mod histogram;
mod html;
mod interval_log;
pub mod json;
mod junit;
mod limits;
pub mod lines;
mod next;
pub mod open_metrics;
pub mod table;
#[cfg(test)]
mod tests;
mod timeline;

pub use next::Asked;
