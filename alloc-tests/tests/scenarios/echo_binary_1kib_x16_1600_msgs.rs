//! Sixteen binary messages of 1 KiB in one write, in memory: they do not fit one read buffer.

use alloc_tests::scenario;
use plimsoll::Scenario;
use plimsoll::ws::Frame;

pub(crate) fn scenario() -> Scenario {
    scenario::echo_in_memory(Frame::binary(1024), 1600, 16)
}
