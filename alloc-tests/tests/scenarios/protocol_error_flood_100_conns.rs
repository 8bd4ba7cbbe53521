//! Peers in memory that send on for ever after they broke a rule: the server reads a little of it and ends.

use alloc_tests::window;
use plimsoll::Scenario;
use server::stats::ErrorKind;

/// A reserved bit, masked with zeros.
const BROKEN: &[u8] = b"\xf1\x80\0\0\0\0";

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 100, |_| {
        |window| window.serve_floods(BROKEN, &[0; 4096], ErrorKind::Protocol)
    })
    .in_memory()
}
