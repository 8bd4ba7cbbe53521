//! Three hundred open connections, fifty of them at a time with a message in flight, on one thread.

use alloc_tests::scenario;
use plimsoll::{Frame, Scenario, frame};

pub(crate) fn scenario() -> Scenario {
    scenario::echo_of_many(Frame::text(&frame::ascii(64)), 900, 300)
}
