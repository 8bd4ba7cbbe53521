//! The timing instruments: criterion targets, and what judges their results.
//!
//! The targets in `benches/` measure a real server over real sockets and check every answer. No absolute time leaves
//! the machine it was taken on: what is recorded is the ratio to the *floor*, the same exchange without WebSocket,
//! measured in the same run by the same client.
//!
//! # Layout
//!
//! - [`client`]: the driver, a blocking client that compares every byte
//! - [`payload`]: what it sends, and the answer it insists on
//! - [`tcp_server`]: a raw TCP server on a thread of its own; [`tcp_echo`], [`tcp_fanout`]: the shapes of the floor
//! - [`cores`]: driver and server in one place, or apart; [`descriptors`]: room for a thousand connections
//! - [`criterion_data`]: criterion's results, read strictly
//! - [`ratios`]: results → ratios to the floor → verdicts, pure, and how they are printed
//! - [`compare`]: base against head
//! - [`load`]: load on any WebSocket endpoint, and whether it held
//! - [`units`]: numbers as people read them; `text`: lines that fit a terminal; `page`: the frame of a report
//! - `bin/ws-compare`: the command over [`criterion_data`] and [`ratios`]

mod axis;
pub mod client;
pub mod compare;
pub mod cores;
pub mod criterion_data;
pub mod descriptors;
pub mod load;
mod page;
pub mod payload;
pub mod ratios;
pub mod tcp_echo;
pub mod tcp_fanout;
pub mod tcp_server;
mod text;
pub mod units;
