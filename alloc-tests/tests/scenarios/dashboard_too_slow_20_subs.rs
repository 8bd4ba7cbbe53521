//! Subscribers that stay at the high watermark for more than ten seconds: closed with 1013.

use std::time::Duration;

use alloc_tests::dashboard::TICK;
use alloc_tests::scenario::refusal;
use alloc_tests::window;
use plimsoll::io_count::IO;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};
use server::Config;
use server::stats::ErrorKind;

/// One that is partly written, and ten that wait.
const TICKS: u64 = 11;

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 20, |ops| {
        let mut client = Client::default();
        let answer = Frame::close(1013);
        move |window| {
            let server = window.start_with(Config { tick: TICK, ..window.config() })?;
            let mut offered = 0;
            for _ in 0..ops {
                IO.select_next();
                client.upgrade(server.addr(), "/ws/dashboard")?;
                client.expect_text(br#"{"skipped":0,"#)?;
                IO.hold_writes();
                offered += 1;
                // The eleventh makes it pause. One comes right after eleven seconds, and is too late.
                for tick in 1..=TICKS + 1 {
                    let late = if tick > TICKS { Duration::from_secs(11) } else { TICK };
                    window.clock().advance(late);
                    offered += 1;
                    window.until(&server, "the snapshot is offered", |counters| {
                        counters.snapshots_offered == offered
                    })?;
                }
                IO.release();
                client.expect_text(br#"{"skipped":0,"#)?;
                client.expect(refusal(1013))?;
                client.send(&answer.request)?;
                client.expect_end()?;
                window.until_open(&server, 0)?;
            }
            let counters = window.stop(server)?;
            anyhow::ensure!(counters.errors[ErrorKind::Slow as usize] == ops, "{counters:?}");
            Ok(())
        }
    })
}
