//! One text message of 1 KiB at a time, in four fragments.

use alloc_tests::scenario;
use plimsoll::Scenario;
use plimsoll::ws::{Frame, ascii};

pub(crate) fn scenario() -> Scenario {
    scenario::echo(Frame::fragmented(&ascii(1024), 4), 1000, 1)
}
