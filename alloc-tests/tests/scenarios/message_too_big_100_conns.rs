//! Frames that declare one byte more than the limit: closed with 1009 after their header.

use alloc_tests::scenario;
use plimsoll::Scenario;

/// Masked with zeros.
const REQUEST: &[u8] = b"\x82\xff\0\0\0\0\0\x01\0\x01\0\0\0\0";

pub(crate) fn scenario() -> Scenario {
    scenario::refused(100, REQUEST, 1009, "message too big")
}
