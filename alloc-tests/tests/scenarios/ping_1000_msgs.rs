//! One ping at a time, with a payload.

use alloc_tests::scenario;
use plimsoll::Scenario;
use plimsoll::ws::Frame;

pub(crate) fn scenario() -> Scenario {
    scenario::echo(Frame::ping(b"are you there?"), 1000, 1)
}
