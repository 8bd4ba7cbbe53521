//! Connections that are all open at once and idle: the peak is their cost during the upgrade, held bytes are their
//! cost afterwards.

use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 100, |ops| {
        let mut witness = Client::default();
        let mut clients = Client::several(ops);
        let ping = Frame::ping(b"");
        move |window| {
            let server = window.start()?;
            witness.upgrade(server.addr(), "/ws/echo")?;
            for client in &mut clients {
                client.upgrade(server.addr(), "/ws/echo")?;
            }
            window.until(&server, "all clients are upgraded", |counters| {
                counters.echo_open == ops + 1
            })?;
            // The server has one thread: when it answers this, it has finished everything before.
            witness.exchange(&ping.request, &ping.reply)?;
            window.hold()?;
            clients.iter_mut().try_for_each(Client::close)?;
            witness.close()?;
            window.stop(server)?;
            Ok(())
        }
    })
}
