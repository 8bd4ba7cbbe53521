//! One 64-byte text message at a time.

use alloc_tests::scenario;
use plimsoll::{Frame, Scenario, frame};

pub(crate) fn scenario() -> Scenario {
    scenario::echo(Frame::text(&frame::ascii(64)), 1000, 1)
}
