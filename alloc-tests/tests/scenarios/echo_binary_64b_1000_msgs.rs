//! One 64-byte binary message at a time.

use alloc_tests::scenario;
use plimsoll::Scenario;
use plimsoll::ws::Frame;

pub(crate) fn scenario() -> Scenario {
    scenario::echo(Frame::binary(64), 1000, 1)
}
