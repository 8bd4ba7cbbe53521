//! One 64-byte text message at a time.

use alloc_tests::{Frame, Scenario, frame, scenario};

pub(crate) fn scenario() -> Scenario {
    scenario::echo(Frame::text(&frame::ascii(64)), 1000, 1)
}
