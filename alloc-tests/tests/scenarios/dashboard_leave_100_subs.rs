//! Subscribers that leave in the middle of a tick, with the snapshot on its way to them.

use alloc_tests::io_count::IO;
use alloc_tests::{Client, Scenario, Unit, scenario};
use server::Config;

pub(crate) fn scenario() -> Scenario {
    Scenario::new(Unit::Connection, 100, |ops| {
        let mut client = Client::default();
        move |window| {
            let server = window.start_with(Config { tick: scenario::TICK, ..window.config() })?;
            for subscriber in 0..ops {
                IO.tap_next();
                client.upgrade(server.addr(), "/ws/dashboard")?;
                client.expect_text(br#"{"skipped":0,"seq":"#)?;
                IO.close_tap();
                window.clock().advance(scenario::TICK);
                let offered = 2 * (subscriber + 1);
                window.until(&server, "it is offered", |counters| counters.snapshots_offered == offered)?;
                client.drop_connection();
                window.until_open(&server, 0)?;
                IO.open_tap();
            }
            window.stop(server)?;
            Ok(())
        }
    })
}
