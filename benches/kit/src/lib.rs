//! What the timing instruments share. No server and no WebSocket library is in here.
//!
//! # Layout
//!
//! - [`client`]: the driver, a blocking client that compares every byte
//! - [`conversation`]: the driver of a conversation, which demands the answers of its file
//! - [`payload`]: the messages it sends and the answers it expects
//! - `tcp_server`: a raw TCP server on a thread of its own; `tcp_echo`, `tcp_fanout`: the floors of the benchmarks
//!   (feature `tcp-servers`)
//! - [`cores`]: pins driver and server to processors; [`descriptors`]: raises the limit of open files;
//!   [`scheduling`]: the scheduler's policy for a thread; [`spinners`]: threads that keep a processor busy;
//!   [`process_clock`]: processor time of another process; [`machine`]: the names of processor and system
//! - [`statistics`]: estimates, intervals and tests; [`random`]: random numbers that a seed repeats

pub mod client;
pub mod conversation;
pub mod cores;
pub mod descriptors;
pub mod machine;
pub mod payload;
pub mod process_clock;
pub mod random;
pub mod scheduling;
pub mod spinners;
pub mod statistics;
#[cfg(feature = "tcp-servers")]
pub mod tcp_echo;
#[cfg(feature = "tcp-servers")]
pub mod tcp_fanout;
#[cfg(feature = "tcp-servers")]
pub mod tcp_server;
