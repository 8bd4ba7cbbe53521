//! Sixteen 64-byte text messages in one write, which are answered in one write.

use alloc_tests::scenario;
use plimsoll::Scenario;
use plimsoll::ws::{Frame, ascii};

pub(crate) fn scenario() -> Scenario {
    scenario::echo(Frame::text(&ascii(64)), 1600, 16)
}
