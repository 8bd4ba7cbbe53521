//! Subscribers that disconnect in the middle of a tick, while a snapshot is being written to them.

use alloc_tests::dashboard::TICK;
use alloc_tests::window;
use plimsoll::io_count::IO;
use plimsoll::Scenario;
use plimsoll::ws::Client;
use server::Config;

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 100, |ops| {
        let mut client = Client::default();
        move |window| {
            let server = window.start_with(Config { tick: TICK, ..window.config() })?;
            for subscriber in 0..ops {
                IO.select_next();
                client.upgrade(server.addr(), "/ws/dashboard")?;
                client.expect_text(br#"{"skipped":0,"seq":"#)?;
                IO.hold_writes();
                window.clock().advance(TICK);
                let offered = 2 * (subscriber + 1);
                window.until(&server, "the snapshot is offered", |counters| {
                    counters.snapshots_offered == offered
                })?;
                client.drop_connection();
                window.until_open(&server, 0)?;
                IO.release();
            }
            window.stop(server)?;
            Ok(())
        }
    })
}
