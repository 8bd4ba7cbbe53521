//! Masked frames of 125 bytes through the codec alone; SwiftNIO's decoder takes 2 allocations for each.

use alloc_tests::codec;
use plimsoll::Scenario;
use plimsoll::ws::Frame;

pub(crate) fn scenario() -> Scenario {
    codec::decode(Frame::binary(125), 1000)
}
