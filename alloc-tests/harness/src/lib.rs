//! The exact instrument as a library: heap blocks, bytes, reads and writes that one operation costs a server, to the
//! unit, with the call site that moved.
//!
//! A test target with `harness = false` sets [`Allocator`] as its global allocator, describes its [`Suite`], lists its
//! scenarios in a [`Registry`] and calls [`main`]. Each scenario runs in a process of its own.
//!
//! # Layout
//!
//! - [`suite`]: the server under measurement, and where its numbers and its commands are
//! - [`scenario`]: a number of operations on a server; [`window`]: one measured run of it
//! - [`client`], [`frame`], [`memory`]: drivers that do not allocate: a blocking socket, and a peer in memory
//! - [`io_count`]: counts reads and writes, and holds writes back
//! - [`profiler`]: counts the heap (dhat); `descriptors`: lists open files and sockets
//! - `measure`: one window, and the repeats of one process; `repeats`: several processes, which must agree; `canary`:
//!   checks the instrument itself
//! - `system_calls`: the calls of the server's threads, by seccomp notifications
//! - `sites`: dhat's profile as call sites; `attribute`: the sites that allocate, leak or waver
//! - `child`: both ends of a scenario's process
//! - `judge`: scenarios against their baselines; `result`: those without a measurement; `limits`: limits for one run
//! - `record`: new baselines; `report`: table, JSON, JUnit, Markdown
//! - `cli`: the suite for a person; `libtest`: the suite for cargo and nextest; `output`: stdout and stderr

mod attribute;
mod canary;
mod child;
mod cli;
pub mod client;
mod descriptors;
mod error;
pub mod frame;
pub mod io_count;
mod judge;
mod libtest;
mod limits;
mod measure;
pub mod memory;
mod output;
pub mod profiler;
mod record;
mod repeats;
mod report;
mod result;
pub mod scenario;
mod sites;
pub mod suite;
mod system_calls;
pub mod window;

use std::process::ExitCode;

use libtest_mimic::Trial;

pub use client::Client;
/// The allocator that counts; a runner sets it as its `#[global_allocator]`.
pub use dhat::Alloc as Allocator;
pub use error::Environment;
pub use frame::Frame;
pub use report::figures;
pub use scenario::{Registry, Scenario};
pub use suite::Suite;
pub use window::Window;

/// The whole program of a runner: a child of another runner, the command line (`suite`, `run`), or the tests of cargo
/// and nextest, by its first argument. `extra` are more tests for the last.
#[must_use]
pub fn main(suite: &Suite, registry: &Registry, extra: Vec<Trial>) -> ExitCode {
    match child::arguments() {
        Err(error) => output::finish(Err(error)),
        Ok(Some((id, task))) => {
            output::finish(child::serve(suite, registry, &id, task).map(|()| 0))
        }
        Ok(None) => match std::env::args().nth(1).as_deref() {
            Some("suite" | "run") => output::finish(cli::run(suite, registry)),
            _ => libtest::run(suite, registry, extra),
        },
    }
}
