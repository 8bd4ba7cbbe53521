//! How numbers are shown, on a terminal and on a page.
//!
//! # Layout
//!
//! - [`units`]: numbers with their units; [`text`]: lines that fit a terminal; [`output`]: printing to a pipe that may close
//! - [`axis`]: the scales of charts; [`page`]: the frame of an HTML report

pub mod axis;
pub mod output;
pub mod page;
pub mod text;
pub mod units;
