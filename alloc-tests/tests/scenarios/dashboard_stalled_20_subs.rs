//! Subscribers that take nothing: they pause at the high watermark, and are dropped after five seconds.

use std::time::Duration;

use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::io_count::IO;
use plimsoll::ws::{Client, Frame};
use server::Config;
use server::stats::ErrorKind;

/// Time between two snapshots. Five seconds after the first of them, no other is due.
const TICK: Duration = Duration::from_millis(400);

/// In less than five seconds after the first; with the eleventh a subscriber pauses.
const TICKS: u64 = 13;

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 20, |ops| {
        let (mut client, mut witness) = (Client::default(), Client::default());
        let ping = Frame::ping(b"");
        move |window| {
            let server = window.start_with(Config { tick: TICK, ..window.config() })?;
            witness.upgrade(server.addr(), "/ws/echo")?;
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
                    // The server has one thread: when it answers this, it has found that the write waits.
                    witness.exchange(&ping.request, &ping.reply)?;
                }
                window.clock().advance(TICK / 2);
                window.until_open(&server, 1)?;
                client.drop_connection();
                IO.release();
                let made = window.clock().timers().made;
                window.clock().advance(TICK / 2);
                window.until_timers(made + 1)?;
            }
            witness.close()?;
            window.until_open(&server, 0)?;
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
