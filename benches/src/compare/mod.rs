//! Base against head: exact counts, instructions and paired timings, one table, one verdict.
//!
//! # Layout
//!
//! - [`cleanup`]: child processes and folders that stay behind on no way out
//! - [`model`]: what a comparison found, as plain data
//! - [`statistics`]: rounds → estimates, intervals and probabilities, pure

pub mod cleanup;
pub mod model;
pub mod statistics;
