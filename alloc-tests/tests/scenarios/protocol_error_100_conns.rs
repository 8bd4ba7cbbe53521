//! Frames with a reserved bit: closed with 1002.

use alloc_tests::scenario;
use plimsoll::Scenario;

/// Masked with zeros.
const REQUEST: &[u8] = b"\xf1\x80\0\0\0\0";

pub(crate) fn scenario() -> Scenario {
    scenario::refused(100, REQUEST, 1002, "protocol error")
}
