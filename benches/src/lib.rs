//! Judges criterion's results.
//!
//! The targets in `benches/` measure a real server over real sockets and check every answer. No absolute time is
//! compared across machines. Recorded is the ratio to the *floor*: the same exchange without WebSocket, measured in the
//! same run by the same client.
//!
//! # Layout
//!
//! - [`criterion_data`]: criterion's results, read strictly
//! - [`ratios`]: results → ratios to the floor → verdicts, and how they are printed; pure

pub mod criterion_data;
pub mod ratios;
