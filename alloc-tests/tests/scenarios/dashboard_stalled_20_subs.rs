//! Subscribers that take nothing: they pause at the high watermark, and are dropped after five seconds.

use std::time::Duration;

use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::io_count::IO;
use plimsoll::ws::Client;
use server::Config;
use server::stats::ErrorKind;

/// Time between two snapshots. Five seconds after the first of them, no other is due.
const TICK: Duration = Duration::from_millis(400);

/// In less than five seconds after the first; with the eleventh a subscriber pauses.
const TICKS: u64 = 13;

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 20, |ops| {
        let mut client = Client::default();
        move |window| {
            let server = window.start_with(Config { tick: TICK, ..window.config() })?;
            let mut offered = 0;
            for _ in 0..ops {
                IO.select_next();
                client.upgrade(server.addr(), "/ws/dashboard")?;
                client.expect_text(br#"{"skipped":0,"#)?;
                IO.hold_writes();
                offered += 1;
                for _ in 0..TICKS {
                    window.clock().advance(TICK);
                    offered += 1;
                    window.until(&server, "the snapshot is offered", |counters| {
                        counters.snapshots_offered == offered
                    })?;
                }
                window.clock().advance(TICK / 2);
                window.until_open(&server, 0)?;
                client.drop_connection();
                IO.release();
                let made = window.clock().timers().made;
                window.clock().advance(TICK / 2);
                window.until_timers(made + 1)?;
            }
            let counters = window.stop(server)?;
            anyhow::ensure!(
                counters.errors[ErrorKind::Stalled as usize] == ops
                    && counters.backpressure_events == 2 * ops,
                "{counters:?}"
            );
            Ok(())
        }
    })
}
