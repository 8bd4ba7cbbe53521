//! One text message at a time, in which characters take one to four bytes.

use alloc_tests::scenario;
use plimsoll::{Frame, Scenario};

pub(crate) fn scenario() -> Scenario {
    scenario::echo(Frame::text(&"aß€𝄞".repeat(13)), 1000, 1)
}
