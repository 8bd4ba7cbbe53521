//! One text message of 16 KiB at a time, in memory: long enough to show one more pass over all bytes.

use alloc_tests::scenario;
use plimsoll::Scenario;
use plimsoll::ws::{Frame, ascii};

pub(crate) fn scenario() -> Scenario {
    scenario::echo_in_memory(Frame::text(&ascii(16 * 1024)), 1000, 1)
}
