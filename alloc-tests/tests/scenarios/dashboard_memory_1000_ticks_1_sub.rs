//! A snapshot a tick to one subscriber in memory, which takes each before the next.

use alloc_tests::dashboard::TICK;
use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::ws::{Frame, MemoryPeer};

pub(crate) fn scenario() -> Scenario {
    window::scenario("tick", 1000, |ops| {
        let peer = MemoryPeer::new("/ws/dashboard", Frame::default(), ops + 1);
        move |window| window.serve_ticks_in_memory(TICK, peer)
    })
    .in_memory()
}
