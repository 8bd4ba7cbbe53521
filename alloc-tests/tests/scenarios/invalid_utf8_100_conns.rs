//! Text that is not UTF-8: closed with 1007.

use alloc_tests::scenario;
use plimsoll::Scenario;

/// Masked with zeros.
const REQUEST: &[u8] = b"\x81\x82\0\0\0\0\xc3\x28";

pub(crate) fn scenario() -> Scenario {
    scenario::refused(100, REQUEST, 1007, "text is not UTF-8")
}
