//! A subscriber that never reads: it pauses at the high watermark and holds ten snapshots from then on.

use std::time::Duration;

use alloc_tests::window;
use plimsoll::io_count::IO;
use plimsoll::Scenario;
use plimsoll::ws::Client;
use server::Config;

/// 1000 of them are shorter than the time after which a subscriber that takes nothing is dropped.
const TICK: Duration = Duration::from_millis(4);

pub(crate) fn scenario() -> Scenario {
    window::scenario("tick", 1000, |ops| {
        let mut client = Client::default();
        move |window| {
            // 2000 of them must fit the same time.
            let tick = TICK * 1000 / u32::try_from(ops)?;
            let server = window.start_with(Config { tick, ..window.config() })?;
            IO.select_next();
            client.upgrade(server.addr(), "/ws/dashboard")?;
            client.expect_text(br#"{"skipped":0,"seq":1,"#)?;
            IO.hold_writes();
            for offered in 2..=ops + 1 {
                window.clock().advance(tick);
                window.until(&server, "the snapshot is offered", |counters| {
                    counters.snapshots_offered == offered
                })?;
            }
            let counters = server.stats().counters();
            anyhow::ensure!(
                counters.backpressure_events == 1 && counters.snapshots_skipped > ops - 20,
                "{counters:?}"
            );
            client.drop_connection();
            window.until_open(&server, 0)?;
            window.stop(server)?;
            Ok(())
        }
    })
}
