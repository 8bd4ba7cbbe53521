//! One empty text message at a time.

use alloc_tests::scenario;
use plimsoll::{Frame, Scenario};

pub(crate) fn scenario() -> Scenario {
    scenario::echo(Frame::text(""), 1000, 1)
}
