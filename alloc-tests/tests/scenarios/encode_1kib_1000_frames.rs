//! Frames of 1 KiB through the codec alone; SwiftNIO's encoder takes 3 allocations for each new buffer.

use alloc_tests::codec;
use plimsoll::Scenario;
use plimsoll::ws::Frame;

pub(crate) fn scenario() -> Scenario {
    codec::encode(Frame::binary(1024), 1000)
}
