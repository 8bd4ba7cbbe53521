//! A snapshot a tick to eight subscribers: serialised once, shared by all.

use alloc_tests::dashboard;
use plimsoll::Scenario;

pub(crate) fn scenario() -> Scenario {
    dashboard::ticks(250, 8)
}
