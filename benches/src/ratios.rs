//! Rounds → ratios to the floor → verdicts, and how they are printed. Pure: no clock, no files, nothing printed.

mod judge;
mod render;
#[cfg(test)]
mod tests;
mod update;

pub use judge::{Filter, Measured, RatioRow, exit_code, judge};
pub use render::{Format, render};
pub use update::{Update, update};
