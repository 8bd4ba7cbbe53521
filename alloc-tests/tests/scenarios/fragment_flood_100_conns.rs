//! Peers in memory that send fragments of a message for ever: the server takes 1024 and ends.

use alloc_tests::window;
use plimsoll::Scenario;
use server::stats::ErrorKind;

/// A fragment of two bytes, masked with zeros, and many that go on.
const FIRST: &[u8] = b"\x02\x82\0\0\0\0hi";
static NEXT: [[u8; 8]; 1024] = [*b"\x00\x82\0\0\0\0hi"; 1024];

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 100, |_| {
        |window| window.serve_floods(FIRST, NEXT.as_flattened(), ErrorKind::Policy)
    })
    .in_memory()
}
