//! The counting library that `plimsoll count` preloads into a program that it starts.
//!
//! # Layout
//!
//! - [`LIBRARY`]: the compiled library; `interpose/` is its source, a crate of its own without dependencies
//! - [`layout`]: the file through which it hands its counts over; [`counts`]: reads that file

pub mod counts;
#[path = "interpose/layout.rs"]
pub mod layout;

/// The shared library, as the dynamic linker of glibc loads it. Empty on a target without glibc.
pub const LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/interpose.so"));
