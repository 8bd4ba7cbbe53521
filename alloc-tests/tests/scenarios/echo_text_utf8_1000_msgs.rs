//! One text message at a time, in which characters take one to four bytes.

use alloc_tests::{Frame, Scenario, scenario};

pub(crate) fn scenario() -> Scenario {
    scenario::echo(Frame::text(&"aß€𝄞".repeat(13)), 1000, 1)
}
