//! How numbers are shown, on a terminal and on a page.
//!
//! # Layout
//!
//! - [`units`]: numbers with their units and nouns; [`hint`]: the name that was probably meant
//! - [`usage`]: the errors of a command line, and (feature `help`) lines of a help that are too wide
//! - [`output`]: printing to a pipe that may close, or in colours to a terminal; `colour` (feature `table`): their meaning
//! - `text` (feature `table`): lines that fit a terminal
//! - [`axis`]: the scales of charts; `page` (feature `page`): the frame of an HTML report
//! - `picture` (feature `picture`): what a terminal shows, as an SVG
//! - `junit` (feature `junit`): JUnit files; `progress` (feature `progress`): a bar on stderr

pub mod axis;
#[cfg(feature = "table")]
pub mod colour;
pub mod hint;
#[cfg(feature = "junit")]
pub mod junit;
pub mod output;
#[cfg(feature = "page")]
pub mod page;
#[cfg(feature = "picture")]
pub mod picture;
#[cfg(feature = "progress")]
pub mod progress;
#[cfg(feature = "table")]
pub mod text;
pub mod units;
pub mod usage;
