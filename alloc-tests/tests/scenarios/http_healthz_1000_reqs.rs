//! Health checks on a keep-alive connection.

use alloc_tests::scenario;
use plimsoll::Scenario;

pub(crate) fn scenario() -> Scenario {
    scenario::requests(1000, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
}
