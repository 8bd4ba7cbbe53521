//! Peers in memory that send on for ever after they broke a rule: the server reads a little of it and ends.

use alloc_tests::window;
use plimsoll::Scenario;

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 100, |_| |window| window.serve_floods()).in_memory()
}
