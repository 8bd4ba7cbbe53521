//! Fifty connections that all have a message in flight at once, on one thread.

use alloc_tests::scenario;
use plimsoll::{Frame, Scenario, frame};

pub(crate) fn scenario() -> Scenario {
    scenario::echo_of_many(Frame::text(&frame::ascii(64)), 1000, 50)
}
