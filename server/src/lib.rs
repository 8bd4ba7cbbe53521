//! A minimal WebSocket echo and dashboard server.
//!
//! hyper speaks HTTP; a valid upgrade hands the unwrapped stream, and whatever was already read from it, to
//! tokio-tungstenite. Everything per connection is generic over the I/O type, so the same code runs over TCP and
//! over an in-memory pipe.
//!
//! # Layout
//!
//! - [`config`]: what a caller may choose, with the defaults
//! - `listener`: accept, limit, back off, drain
//! - `connection`: one stream from its first byte to its last
//! - `http`: routes, upgrades, refusals
//! - `session`: what both WebSocket routes share: closing, idleness, outcome
//! - `echo`: everything buffered is fed, then one flush
//! - `dashboard`: the hub that serialises once a tick, and its subscribers
//! - [`stats`]: live counters; [`snapshot`]: what a tick says of them, with rates from `meter`; `metrics`: the same as OpenMetrics text
//! - [`allocations`]: the counting allocator of the binary
//! - [`process`]: memory, processor time and descriptors, as the system counts them
//! - [`clock`]: real time, or time that a test moves
//! - `shutdown`: drain, then kill
//! - `page`: the dashboard's page, as files
//! - [`embedded`]: the server on a thread of its own
//! - [`live`]: the same page for a load generator's numbers; `feed` tells the two apart

pub mod allocations;
pub mod clock;
pub mod config;
mod connection;
mod context;
mod dashboard;
mod echo;
pub mod embedded;
mod error;
mod history;
mod http;
mod listener;
pub mod live;
mod meter;
mod metrics;
mod page;
mod peer;
pub mod process;
mod session;
mod shutdown;
pub mod snapshot;
pub mod stats;

pub use clock::Clock;
pub use config::Config;
pub use connection::serve_connection;
pub use context::Context;
pub use embedded::Embedded;
pub use error::Error;
pub use listener::{Report, serve, serve_wrapped};
pub use live::Live;
