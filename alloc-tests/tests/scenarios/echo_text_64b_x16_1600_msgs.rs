//! Sixteen 64-byte text messages in one write, which are answered in one write.

use alloc_tests::scenario;
use plimsoll::{Frame, Scenario, frame};

pub(crate) fn scenario() -> Scenario {
    scenario::echo(Frame::text(&frame::ascii(64)), 1600, 16)
}
