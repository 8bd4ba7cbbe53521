//! A snapshot a tick to one subscriber.

use alloc_tests::{Scenario, scenario};

pub(crate) fn scenario() -> Scenario {
    scenario::ticks(1000, 1)
}
