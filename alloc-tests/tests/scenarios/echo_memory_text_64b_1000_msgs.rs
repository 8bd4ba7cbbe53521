//! One 64-byte text message at a time, in memory: the cost of a message without the kernel.

use alloc_tests::scenario;
use plimsoll::Scenario;
use plimsoll::ws::{Frame, ascii};

pub(crate) fn scenario() -> Scenario {
    scenario::echo_in_memory(Frame::text(&ascii(64)), 1000, 1)
}
