//! One 64-byte text message at a time that arrives seven bytes at a time, in memory.

use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::ws::{Frame, MemoryPeer, ascii};

pub(crate) fn scenario() -> Scenario {
    window::scenario("message", 1000, |ops| {
        let peer =
            MemoryPeer::new("/ws/echo", Frame::text(&ascii(64)), ops).sending_at_most(7);
        move |window| window.serve_in_memory([peer])
    })
    .in_memory()
}
