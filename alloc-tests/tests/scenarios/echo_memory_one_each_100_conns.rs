//! Connect, upgrade, one echo, close, in memory: a whole connection without a kernel.

use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::ws::{Frame, MemoryPeer};

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 100, |ops| {
        let peer = |_| MemoryPeer::new("/ws/echo", Frame::text("ping"), 1);
        let peers: Vec<_> = (0..ops).map(peer).collect();
        move |window| window.serve_in_memory(peers)
    })
    .in_memory()
}
