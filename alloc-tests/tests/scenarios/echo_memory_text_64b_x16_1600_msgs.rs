//! Sixteen 64-byte text messages in one write, in memory.

use alloc_tests::scenario;
use plimsoll::{Frame, Scenario, frame};

pub(crate) fn scenario() -> Scenario {
    scenario::echo_in_memory(Frame::text(&frame::ascii(64)), 1600, 16)
}
