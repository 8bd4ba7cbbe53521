//! Base against head: exact counts, instructions and paired timings, one table, one verdict.
//!
//! # Layout
//!
//! - [`model`]: what a comparison found, as plain data

pub mod model;
