//! Judges criterion's results.
//!
//! The targets in `benches/` measure a real server over real sockets and check every answer. No absolute time leaves
//! the machine it was taken on: what is recorded is the ratio to the *floor*, the same exchange without WebSocket,
//! measured in the same run by the same client.
//!
//! # Layout
//!
//! - [`criterion_data`]: criterion's results, read strictly
//! - [`ratios`]: results → ratios to the floor → verdicts, pure, and how they are printed

pub mod criterion_data;
pub mod ratios;
