//! One empty text message at a time.

use alloc_tests::{Frame, Scenario, scenario};

pub(crate) fn scenario() -> Scenario {
    scenario::echo(Frame::text(""), 1000, 1)
}
