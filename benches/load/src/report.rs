//! How a run is shown: to a person in a terminal, to a program, to CI, to the HdrHistogram tools, and as a page to keep.
//!
//! # Layout
//!
//! - [`table`], [`json`], `csv`, `junit`, `interval_log`, `html`: one format a file
//! - [`directory`]: all of them in a folder, and the run back from it
//! - `chart`: the drawings of the page; `timeline`: a run as what they draw
//! - `format`: what several formats say; `next`: what to type next; `text`: lines that fit

mod chart;
mod csv;
pub mod directory;
#[cfg(test)]
pub(crate) mod fixture;
mod format;
mod html;
mod interval_log;
pub mod json;
mod junit;
mod next;
pub mod table;
#[cfg(test)]
mod tests;
mod timeline;
