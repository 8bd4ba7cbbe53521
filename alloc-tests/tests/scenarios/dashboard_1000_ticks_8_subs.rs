//! A snapshot a tick to eight subscribers: serialised once, shared by all.

use alloc_tests::{Scenario, scenario};

pub(crate) fn scenario() -> Scenario {
    scenario::ticks(1000, 8)
}
