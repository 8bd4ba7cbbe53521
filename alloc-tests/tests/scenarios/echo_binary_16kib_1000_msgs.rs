//! One binary message of 16 KiB at a time, in memory: it takes several reads.

use alloc_tests::scenario;
use plimsoll::Scenario;
use plimsoll::ws::Frame;

pub(crate) fn scenario() -> Scenario {
    scenario::echo_in_memory(Frame::binary(16 * 1024), 1000, 1)
}
