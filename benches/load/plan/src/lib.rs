//! A load as data, pure: what is asked for, what it is held to, and what is counted.
//!
//! # Layout
//!
//! - [`profile`]: connections, messages and stages; [`thresholds`]: the limits that a run is held to; [`url`]: where it goes
//! - [`metrics`], [`outcome`]: what is counted and timed, and how a connection ends; [`model`]: a whole run
//! - [`units`]: durations and sizes as a profile writes them

pub mod metrics;
pub mod model;
mod named;
pub mod outcome;
pub mod profile;
pub mod thresholds;
pub mod units;
mod unknown;
pub mod url;
