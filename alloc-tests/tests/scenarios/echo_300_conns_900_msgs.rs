//! Three hundred open connections, fifty of them at a time with a message in flight, on one thread.

use alloc_tests::scenario;
use plimsoll::Scenario;
use plimsoll::ws::{Frame, ascii};

pub(crate) fn scenario() -> Scenario {
    scenario::echo_of_many(Frame::text(&ascii(64)), 900, 300)
}
