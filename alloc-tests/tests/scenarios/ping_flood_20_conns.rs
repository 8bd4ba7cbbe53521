//! Peers in memory that ping for ever: the server answers some thousand pings and ends.

use alloc_tests::window;
use plimsoll::Scenario;
use server::stats::ErrorKind;

/// Masked with zeros.
static PINGS: [[u8; 6]; 1024] = [*b"\x89\x80\0\0\0\0"; 1024];

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 20, |_| {
        |window| window.serve_floods(b"", PINGS.as_flattened(), ErrorKind::Policy)
    })
    .in_memory()
}
