//! The exact instrument: what one message, connection or tick costs the server in heap blocks, bytes, reads and
//! writes, to the unit.
//!
//! # Layout
//!
//! - [`scenario`]: what a scenario is, and the few shapes most of them have
//! - [`window`]: what a scenario is given while it is measured
//! - [`client`], [`frame`], [`memory`]: the driver: a blocking socket, or a peer in memory; neither allocates
//! - [`codec`]: frames through tungstenite alone
//! - [`io_count`]: reads and writes, and a tap that stops them
//! - [`measure`]: one window, and the repeats that must agree; [`profiler`]: dhat; [`descriptors`]: what is open
//! - [`canary`]: proof that all of it sees
//! - [`sites`]: dhat's profile as call sites; [`attribute`]: who allocated, leaked or wavered
//! - [`child`]: a scenario in a process of its own, seen from both sides
//! - [`suite`]: all scenarios against their baselines; [`judged`]: what came of one; [`limits`]: other ones for one run; [`record`]: new baselines
//! - [`report`]: table, JSON, JUnit, Markdown; [`cli`]: the flags; `libtest`: the face that cargo sees

pub mod attribute;
pub mod canary;
pub mod child;
pub mod cli;
pub mod client;
pub mod codec;
pub mod descriptors;
pub mod frame;
pub mod io_count;
pub mod judged;
mod libtest;
pub mod limits;
pub mod measure;
pub mod memory;
pub mod profiler;
pub mod record;
pub mod report;
pub mod scenario;
pub mod sites;
pub mod suite;
pub mod window;

pub use client::Client;
pub use frame::Frame;
pub use scenario::{Registry, Scenario, Unit};
pub use window::Window;
