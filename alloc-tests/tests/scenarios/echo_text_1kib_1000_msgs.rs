//! One text message of 1 KiB at a time.

use alloc_tests::scenario;
use plimsoll::{Frame, Scenario, frame};

pub(crate) fn scenario() -> Scenario {
    scenario::echo(Frame::text(&frame::ascii(1024)), 1000, 1)
}
