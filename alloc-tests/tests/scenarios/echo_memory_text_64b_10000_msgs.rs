//! Ten thousand 64-byte text messages on one connection, one at a time, in memory.

use alloc_tests::scenario;
use plimsoll::Scenario;
use plimsoll::ws::{Frame, ascii};

pub(crate) fn scenario() -> Scenario {
    scenario::echo_in_memory(Frame::text(&ascii(64)), 10_000, 1)
}
