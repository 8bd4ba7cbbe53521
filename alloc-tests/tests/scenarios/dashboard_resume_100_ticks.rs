//! A subscriber that pauses and comes back: it gets what was queued, then the newest, which says what it missed.

use alloc_tests::io_count::IO;
use alloc_tests::{Client, Scenario, Unit, scenario};
use server::Config;

/// One more than the high watermark, one that is half written, and one to skip.
const TICKS: u64 = 13;

pub(crate) fn scenario() -> Scenario {
    Scenario::new(Unit::Tick, 104, |ops| {
        let mut client = Client::default();
        move |window| {
            let server = window.start_with(Config { tick: scenario::TICK, ..window.config() })?;
            IO.tap_next();
            client.upgrade(server.addr(), "/ws/dashboard")?;
            client.expect_text(br#"{"skipped":0,"seq":1,"#)?;
            for round in 0..ops / TICKS {
                IO.close_tap();
                for tick in 1..=TICKS {
                    window.clock().advance(scenario::TICK);
                    let offered = 1 + round * TICKS + tick;
                    window.until(&server, "it is offered", |counters| counters.snapshots_offered == offered)?;
                }
                IO.open_tap();
                // One was being written, ten were queued, of two the newer is sent and tells of the older.
                for _ in 0..11 {
                    client.expect_text(br#"{"skipped":0,"#)?;
                }
                client.expect_text(br#"{"skipped":1,"#)?;
            }
            scenario::close(&mut client)?;
            let counters = window.stop(server)?;
            anyhow::ensure!(counters.snapshots_skipped == ops / TICKS, "{counters:?}");
            Ok(())
        }
    })
}
