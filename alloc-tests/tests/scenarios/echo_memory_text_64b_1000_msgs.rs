//! One 64-byte text message at a time, in memory: what a message costs the server and not the kernel.

use alloc_tests::{Frame, Scenario, frame, scenario};

pub(crate) fn scenario() -> Scenario {
    scenario::echo_in_memory(Frame::text(&frame::ascii(64)), 1000)
}
