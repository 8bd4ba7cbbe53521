//! Three hundred open connections on one thread: in a round, two hundred echo a message, forty of them at a time, and a
//! hundred subscribers get a snapshot.

use alloc_tests::dashboard::TICK;
use alloc_tests::snapshots::expect_snapshot;
use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame, ascii};
use server::Config;

/// More would make the runtime's queue grow at a time that depends on the kernel.
const IN_FLIGHT: usize = 40;

pub(crate) fn scenario() -> Scenario {
    window::scenario("round", 3, |ops| {
        let (mut echo, mut subscribers) = (Client::several(200), Client::several(100));
        let message = Frame::text(&ascii(64));
        move |window| {
            let server = window.start_with(Config { tick: TICK, ..window.config() })?;
            let addr = server.addr();
            echo.iter_mut().try_for_each(|client| client.upgrade(addr, "/ws/echo"))?;
            for client in &mut subscribers {
                client.upgrade(addr, "/ws/dashboard")?;
                expect_snapshot(client, 1)?;
            }
            window.traffic(&server, 200, ops, || {
                echo.chunks_mut(IN_FLIGHT).try_for_each(|some| {
                    some.iter_mut().try_for_each(|client| client.send(&message.request))?;
                    some.iter_mut().try_for_each(|client| client.expect(&message.reply))
                })
            })?;
            let mut seqs = 2..;
            window.ticks(&server, 300, ops, || {
                let seq = seqs.next().unwrap_or_default();
                window.clock().advance(TICK);
                subscribers.iter_mut().try_for_each(|client| expect_snapshot(client, seq))
            })?;
            for (client, left) in echo.iter_mut().chain(&mut subscribers).zip((0..300).rev()) {
                client.close()?;
                window.until_open(&server, left)?;
            }
            window.stop(server)?;
            Ok(())
        }
    })
}
