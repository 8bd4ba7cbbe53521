//! A snapshot a tick to one subscriber in memory, who takes each before the next.

use alloc_tests::memory::MemoryPeer;
use alloc_tests::scenario::TICK;
use alloc_tests::{Frame, Scenario, Unit};

pub(crate) fn scenario() -> Scenario {
    Scenario::new(Unit::Tick, 1000, |ops| {
        let peer = MemoryPeer::new("/ws/dashboard", Frame::default(), ops + 1);
        move |window| window.serve_ticks_in_memory(TICK, peer)
    })
    .in_memory()
}
