//! Results → ratios to the floor → verdicts, and how they are printed. Pure: no clock, no files, nothing printed.

mod judge;
mod render;
mod row;
#[cfg(test)]
mod tests;
mod update;

pub use judge::{Filter, exit_code, judge};
pub use render::{Format, render};
pub use row::{Pair, RatioRow, Refusal};
pub use update::{DEFAULT_TOLERANCE, Update, update};
