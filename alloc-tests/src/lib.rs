//! The scenarios of our server for [`plimsoll`], the exact instrument.
//!
//! # Layout
//!
//! - [`suite`]: where our numbers and commands are
//! - [`scenario`]: the shapes that several scenarios have in common
//! - [`dashboard`]: the shape with a snapshot a tick; [`snapshots`]: a subscriber's check of them
//! - [`window`]: a window with our server and its manual clock; `log`: the lines that it logs
//! - `flood`: peers in memory that send for ever
//! - [`codec`]: frames through tungstenite alone
//!
//! The scenarios themselves are `tests/scenarios/<id>.rs`.

pub mod codec;
pub mod dashboard;
mod flood;
mod log;
pub mod scenario;
pub mod snapshots;
pub mod window;

use std::path::{Path, PathBuf};

use plimsoll::Suite;

/// The suite of this tree, without its scenarios.
#[must_use]
pub fn suite() -> Suite {
    Suite::new(env!("CARGO_MANIFEST_DIR"))
        .about("alloc-tests", "Exact allocation tests of the server")
        .crates(&["server"])
        .strict()
        .baselines(baselines())
        .packages(include!(concat!(env!("OUT_DIR"), "/packages.rs")))
        .command("scripts/run-alloc-tests.sh")
}

/// The folder of the recorded numbers.
#[must_use]
pub fn baselines() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a folder");
    root.join("baselines")
}
