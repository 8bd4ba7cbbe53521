//! A load as data: the profile that asks for it, the thresholds it is held to, and the run that is measured. Pure.
//!
//! # Layout
//!
//! - [`profile`]: connections, messages and stages; [`thresholds`]: limits on a run; [`url`]: the address of the target
//! - [`metrics`]: counts and timings; [`outcome`]: how connections and messages end; [`model`]: a whole run
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
