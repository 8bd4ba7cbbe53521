//! Masked frames of 64 KiB through the codec alone.

use alloc_tests::codec;
use plimsoll::Scenario;
use plimsoll::ws::Frame;

pub(crate) fn scenario() -> Scenario {
    codec::decode(Frame::binary(64 * 1024), 1000)
}
