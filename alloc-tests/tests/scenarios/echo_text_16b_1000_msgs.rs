//! One 16-byte text message at a time.

use alloc_tests::{Frame, Scenario, frame, scenario};

pub(crate) fn scenario() -> Scenario {
    scenario::echo(Frame::text(&frame::ascii(16)), 1000, 1)
}
