//! The shape of scenarios with a snapshot a tick.

use std::time::Duration;

use plimsoll::Scenario;
use plimsoll::ws::Client;
use server::Config;

use crate::snapshots::expect_snapshot;
use crate::window::scenario;

/// Time between two snapshots on the manual clock. 2000 of them are shorter than the timeout of a silent subscriber.
pub const TICK: Duration = Duration::from_millis(10);

/// A snapshot a tick to `subscribers`, which all read it before the next.
#[must_use]
pub fn ticks(ops: u64, subscribers: u64) -> Scenario {
    scenario("tick", ops, move |ops| {
        let mut clients = Client::several(subscribers);
        move |window| {
            let server = window.start_with(Config { tick: TICK, ..window.config() })?;
            for client in &mut clients {
                client.upgrade(server.addr(), "/ws/dashboard")?;
                expect_snapshot(client, 1)?;
            }
            let mut seqs = 2..;
            window.ticks(&server, subscribers, ops, || {
                let seq = seqs.next().unwrap_or_default();
                window.clock().advance(TICK);
                clients.iter_mut().try_for_each(|client| expect_snapshot(client, seq))
            })?;
            for (client, left) in clients.iter_mut().zip((0..subscribers).rev()) {
                client.close()?;
                window.until_open(&server, left)?;
            }
            window.stop(server)?;
            Ok(())
        }
    })
}
