//! A minimal WebSocket echo and dashboard server.
//!
//! hyper speaks HTTP. A valid upgrade hands the unwrapped stream, and the bytes already read from it, to
//! tokio-tungstenite. All code of a connection is generic over the I/O type, so that it runs over TCP and over an
//! in-memory pipe.
//!
//! # Panics
//!
//! A panic ends the connection that it happens in: with 1011 after the upgrade, with 500 in an answer. It is counted as
//! `internal` and logged. The hub goes on after one; while it publishes nothing, `/healthz` is 503. All of this needs
//! `panic = "unwind"`, the default. With `abort` the process ends, and its service manager starts it again.
//!
//! # Layout
//!
//! - [`config`]: the settings, with their defaults
//! - [`socket`]: listening sockets, with their options
//! - `listener`: serves and drains; `accept`: accepts, backs off, and refuses far over the limit
//! - `connection`: one stream from its first byte to its last
//! - `http`: routes, upgrades, refusals; `request`: the rules of a request that hyper leaves to the server;
//!   `http_stream`: the stream below them, which tells when a peer does not read
//! - [`access`]: which requests are answered, by host, origin and token
//! - `session`: shared by both WebSocket routes: idleness, closing, outcome; `peer`: the WebSocket and its state
//! - `linger`: an end that does not cost the peer what was sent last
//! - `wire`: the stream below a WebSocket: turns, limits, stalls; `frames`: the frames in it
//! - `echo`: feeds all that is buffered, then flushes once
//! - `dashboard`: the hub that serialises once a tick, its pulse, and its subscribers
//! - [`stats`]: live counters; `snapshot`: the counters at one tick, with rates from `meter`; `metrics`: the counters as
//!   OpenMetrics text
//! - [`allocations`]: the counting allocator of the binary
//! - `process`: memory, processor time and descriptors, as counted by the system
//! - [`clock`]: real time, or time that a test moves
//! - `shutdown`: drain, then kill, and what a drain waits for; `signal`: an event that happens once
//! - `lock`: locks that a panic does not spoil
//! - `page`: the files of the dashboard's page
//! - [`embedded`]: the server on a thread of its own
//! - [`live`]: the page with the numbers of another program, and their `history`

mod accept;
pub mod access;
pub mod allocations;
pub mod clock;
pub mod config;
mod connection;
mod context;
mod dashboard;
mod echo;
pub mod embedded;
mod error;
mod frames;
mod history;
mod http;
mod http_stream;
mod linger;
mod listener;
pub mod live;
mod lock;
mod meter;
mod metrics;
mod page;
mod peer;
mod process;
mod request;
mod session;
mod shutdown;
mod signal;
mod snapshot;
pub mod socket;
pub mod stats;
mod wire;

pub use access::Access;
pub use clock::Clock;
pub use config::Config;
pub use connection::serve_connection;
pub use context::Context;
pub use embedded::Embedded;
pub use error::Error;
pub use listener::{Report, serve, serve_wrapped};
pub use live::LivePage;
pub use snapshot::UNSKIPPED;
