//! One 64-byte text message at a time.

use alloc_tests::scenario;
use plimsoll::Scenario;
use plimsoll::ws::{Frame, ascii};

pub(crate) fn scenario() -> Scenario {
    scenario::echo(Frame::text(&ascii(64)), 1000, 1)
}
