//! Clients that take nothing of the answer to a message of 16 KiB: dropped after five seconds.

use std::time::Duration;

use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::io_count::IO;
use plimsoll::ws::{Client, Frame};
use server::stats::ErrorKind;

const TAKE_WITHIN: Duration = Duration::from_secs(5);

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 20, |ops| {
        let mut client = Client::default();
        let (first, message) = (Frame::text("here"), Frame::binary(16 * 1024));
        move |window| {
            // Without ticks, every new timer is a connection's.
            let tick = Duration::from_secs(u32::MAX.into());
            let server = window.start_with(server::Config { tick, ..window.config() })?;
            for _ in 0..ops {
                IO.select_next();
                client.upgrade(server.addr(), "/ws/echo")?;
                // The session has made its timer.
                client.exchange(&first.request, &first.reply)?;
                IO.hold_writes();
                let made = window.clock().timers().made;
                client.send(&message.request)?;
                // That of the stall: the server has found that the client takes nothing.
                window.until_timers(made + 1)?;
                window.clock().advance(TAKE_WITHIN);
                window.until_open(&server, 0)?;
                client.drop_connection();
                IO.release();
            }
            let counters = window.stop(server)?;
            anyhow::ensure!(
                counters.errors[ErrorKind::Stalled as usize] == ops
                    && counters.backpressure_events == ops,
                "{counters:?}"
            );
            Ok(())
        }
    })
}
