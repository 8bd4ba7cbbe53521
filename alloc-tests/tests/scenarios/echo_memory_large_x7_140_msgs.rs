//! Messages of sizes up to the limit, text and binary, seven in one batch, in memory.

use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::ws::{Frame, MemoryPeer, ascii};

const KIB: usize = 1024;

pub(crate) fn scenario() -> Scenario {
    window::scenario("message", 140, |ops| {
        let texts = [17, 24, 40, 63].map(|kib| Frame::text(&ascii(kib * KIB)));
        let binaries = [20, 32, 64].map(|kib| Frame::binary(kib * KIB));
        let batch = texts.iter().chain(&binaries).fold(Frame::default(), |all, one| all.then(one));
        let peer = MemoryPeer::new("/ws/echo", batch, ops / 7);
        move |window| window.serve_in_memory([peer])
    })
    .in_memory()
}
