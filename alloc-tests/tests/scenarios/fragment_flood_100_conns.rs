//! Peers in memory that send fragments of a message for ever: the server takes 1024 and ends.

use alloc_tests::window;
use plimsoll::Scenario;
use server::stats::ErrorKind;

/// A fragment of two bytes, masked with zeros, and one that goes on.
const FIRST: &[u8] = b"\x02\x82\0\0\0\0hi";
const NEXT: &[u8] = b"\x00\x82\0\0\0\0hi";

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 100, |_| {
        |window| window.serve_floods(FIRST, NEXT, ErrorKind::Policy)
    })
    .in_memory()
}
