//! A snapshot a tick to one subscriber.

use alloc_tests::dashboard;
use plimsoll::Scenario;

pub(crate) fn scenario() -> Scenario {
    dashboard::ticks(1000, 1)
}
