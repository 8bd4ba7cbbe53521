//! A subscriber that pauses and resumes: it gets the queued snapshots, then the newest with the number it missed. It takes
//! the first of them before the others.

use alloc_tests::dashboard::TICK;
use alloc_tests::window;
use plimsoll::io_count::IO;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};
use server::Config;

/// Eleven that reach the high watermark, one that is partly written, and one to skip.
const TICKS: u64 = 13;

pub(crate) fn scenario() -> Scenario {
    window::scenario("tick", 104, |ops| {
        let (mut client, mut witness) = (Client::default(), Client::default());
        let ping = Frame::ping(b"");
        move |window| {
            let server = window.start_with(Config { tick: TICK, ..window.config() })?;
            witness.upgrade(server.addr(), "/ws/echo")?;
            IO.select_next();
            client.upgrade(server.addr(), "/ws/dashboard")?;
            client.expect_text(br#"{"skipped":0,"seq":1,"#)?;
            for round in 0..ops / TICKS {
                IO.hold_writes();
                for tick in 1..=TICKS {
                    window.clock().advance(TICK);
                    let offered = 1 + round * TICKS + tick;
                    window.until(&server, "the snapshot is offered", |counters| {
                        counters.snapshots_offered == offered
                    })?;
                }
                IO.hold_writes_after(1);
                client.expect_text(br#"{"skipped":0,"#)?;
                // The server has one thread: when it answers this, it waits to write the next ones.
                witness.exchange(&ping.request, &ping.reply)?;
                IO.release();
                // One was being written and ten were queued; of the last two only the newer is sent.
                for _ in 0..10 {
                    client.expect_text(br#"{"skipped":0,"#)?;
                }
                client.expect_text(br#"{"skipped":1,"#)?;
            }
            client.close()?;
            window.until_open(&server, 1)?;
            witness.close()?;
            let counters = window.stop(server)?;
            anyhow::ensure!(counters.snapshots_skipped == ops / TICKS, "{counters:?}");
            Ok(())
        }
    })
}
