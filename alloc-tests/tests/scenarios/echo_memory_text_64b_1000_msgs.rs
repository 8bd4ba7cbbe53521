//! One 64-byte text message at a time, in memory: the cost of a message without the kernel.

use alloc_tests::scenario;
use plimsoll::{Frame, Scenario, frame};

pub(crate) fn scenario() -> Scenario {
    scenario::echo_in_memory(Frame::text(&frame::ascii(64)), 1000, 1)
}
