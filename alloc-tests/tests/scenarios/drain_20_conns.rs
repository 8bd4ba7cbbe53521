//! A server that stops while connections are open: each gets 1001, answers, and ends.

use alloc_tests::{scenario, window};
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 20, |ops| {
        let mut clients = Client::several(ops);
        let answer = Frame::close(1001);
        move |window| {
            let server = window.start()?;
            for client in &mut clients {
                client.upgrade(server.addr(), "/ws/echo")?;
            }
            window
                .until(&server, "all clients are upgraded", |counters| counters.echo_open == ops)?;
            server.request_stop();
            clients.iter_mut().try_for_each(|client| client.expect(scenario::AWAY))?;
            for (client, left) in clients.iter_mut().zip((0..ops).rev()) {
                client.send(&answer.request)?;
                client.expect_end()?;
                window.until_open(&server, left)?;
            }
            window.stop(server)?;
            Ok(())
        }
    })
}
