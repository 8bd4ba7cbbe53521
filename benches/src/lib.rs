//! Criterion targets with a floor, and the judge of their ratios.
//!
//! The targets in `benches/` measure a real server over real sockets and check every answer. No absolute time is
//! compared across machines. Recorded is the ratio to the *floor*: the same exchange without WebSocket, with which the
//! benchmark takes turns.
//!
//! # Layout
//!
//! - [`turns`]: a benchmark and its floor in turns, on a clock of the caller
//! - [`pairs`]: their times as a file, written by a target and read by the judge
//! - [`rounds`]: several runs of all targets, each in new processes
//! - [`ratios`]: rounds → ratios → verdicts, and how they are printed; pure

pub mod pairs;
pub mod ratios;
pub mod rounds;
pub mod turns;
