//! Functions over arbitrary bytes that must not fail, for a fuzzer and, with their corpora, as ordinary tests.
//!
//! # Layout
//!
//! - [`TARGETS`]: all of them by name; the folder of the same name in `corpus/` has inputs that reach different code
//! - `session`, `http`, `formats`: the targets; `bytes`: their input
//! - [`served`]: one connection of our server, polled by hand under a manual clock, on a [`link`]; `heap`: what it holds
//! - [`frames`]: frames of a client and of the server; [`model`]: RFC 6455 as a function; [`verify`]: holds one against
//!   the other
//!
//! `driver/` is a workspace of its own: the fuzzer, which needs a compiler flag and a C++ compiler.

mod bytes;
mod formats;
pub mod frames;
mod heap;
mod http;
pub mod link;
pub mod model;
pub mod served;
mod session;
pub mod verify;

pub use formats::{baselines, conversation, criterion, profile};
pub use http::http;
pub use session::session;

/// Panics if `data` shows a fault.
pub type Target = fn(data: &[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, Target); 6] = [
    ("baselines", baselines),
    ("conversation", conversation),
    ("criterion", criterion),
    ("http", http),
    ("profile", profile),
    ("session", session),
];
