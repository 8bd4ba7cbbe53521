//! The scenarios of our server for [`plimsoll`], the exact instrument.
//!
//! # Layout
//!
//! - [`suite()`]: where our numbers and commands are
//! - [`scenario`]: the shapes that several scenarios have in common
//! - [`dashboard`]: the shape with a snapshot a tick; [`snapshots`]: a subscriber's check of them
//! - [`window`]: a window with our server and its manual clock
//! - [`codec`]: frames through tungstenite alone
//!
//! The scenarios themselves are `tests/scenarios/<id>.rs`.

pub mod codec;
pub mod dashboard;
pub mod scenario;
pub mod snapshots;
pub mod window;

use std::path::Path;

use plimsoll::Suite;
use plimsoll::suite::Crate;

/// The suite of this tree.
#[must_use]
pub fn suite() -> Suite {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in a folder");
    Suite {
        name: "alloc-tests",
        about: "Exact allocation tests of the server",
        crates: &[Crate { name: "server", folder: "server/" }],
        baselines: root.join("baselines"),
        packages: include!(concat!(env!("OUT_DIR"), "/packages.rs")),
        command: "scripts/run-alloc-tests.sh",
        allocator_file: "alloc-tests/tests/alloc.rs",
    }
}
