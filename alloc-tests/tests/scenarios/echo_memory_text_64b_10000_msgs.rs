//! Ten thousand 64-byte text messages on one connection, one at a time, in memory.

use alloc_tests::scenario;
use plimsoll::{Frame, Scenario, frame};

pub(crate) fn scenario() -> Scenario {
    scenario::echo_in_memory(Frame::text(&frame::ascii(64)), 10_000, 1)
}
