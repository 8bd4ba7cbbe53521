//! Sixteen 64-byte text messages in one write, in memory.

use alloc_tests::scenario;
use plimsoll::Scenario;
use plimsoll::ws::{Frame, ascii};

pub(crate) fn scenario() -> Scenario {
    scenario::echo_in_memory(Frame::text(&ascii(64)), 1600, 16)
}
