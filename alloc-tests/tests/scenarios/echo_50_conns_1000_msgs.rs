//! Fifty connections that all have a message in flight at once, on one thread.

use alloc_tests::scenario;
use plimsoll::Scenario;
use plimsoll::ws::{Frame, ascii};

pub(crate) fn scenario() -> Scenario {
    scenario::echo_of_many(Frame::text(&ascii(64)), 1000, 50)
}
