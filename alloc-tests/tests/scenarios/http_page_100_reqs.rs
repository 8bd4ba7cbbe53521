//! The dashboard's page, on a keep-alive connection.

use alloc_tests::scenario;
use plimsoll::Scenario;

pub(crate) fn scenario() -> Scenario {
    scenario::requests(100, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
}
