//! A subscriber that never reads: paused at the high watermark, so that it holds ten snapshots whatever comes.

use std::time::Duration;

use alloc_tests::window;
use plimsoll::io_count::IO;
use plimsoll::{Client, Scenario};
use server::Config;

/// So short that a thousand of them do not outlast the patience with a paused subscriber.
const TICK: Duration = Duration::from_millis(9);

pub(crate) fn scenario() -> Scenario {
    window::scenario("tick", 1000, |ops| {
        let mut client = Client::default();
        move |window| {
            // Twice as many have to fit the same patience.
            let tick = TICK * 1000 / u32::try_from(ops)?;
            let server = window.start_with(Config { tick, ..window.config() })?;
            IO.select_next();
            client.upgrade(server.addr(), "/ws/dashboard")?;
            client.expect_text(br#"{"skipped":0,"seq":1,"#)?;
            IO.hold_writes();
            for offered in 2..=ops + 1 {
                window.clock().advance(tick);
                window.until(&server, "it is offered", |counters| counters.snapshots_offered == offered)?;
            }
            let counters = server.stats().counters();
            anyhow::ensure!(counters.backpressure_events == 1 && counters.snapshots_skipped > ops - 20, "{counters:?}");
            client.drop_connection();
            window.until_open(&server, 0)?;
            window.stop(server)?;
            Ok(())
        }
    })
}
