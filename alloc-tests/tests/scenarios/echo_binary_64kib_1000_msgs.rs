//! One binary message of 64 KiB at a time, in memory: the largest that the server accepts by default.

use alloc_tests::scenario;
use plimsoll::Scenario;
use plimsoll::ws::Frame;

pub(crate) fn scenario() -> Scenario {
    scenario::echo_in_memory(Frame::binary(64 * 1024), 1000, 1)
}
