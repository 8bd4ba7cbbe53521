//! A subscriber that sends: its messages are read and dropped, its pings are answered.

use alloc_tests::snapshots::expect_snapshot;
use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame};

pub(crate) fn scenario() -> Scenario {
    window::scenario("message", 1000, |ops| {
        let mut client = Client::default();
        let said = Frame { reply: Vec::new(), ..Frame::text("hello?") }.then(&Frame::ping(b""));
        move |window| {
            let server = window.start()?;
            client.upgrade(server.addr(), "/ws/dashboard")?;
            expect_snapshot(&mut client, 1)?;
            window.traffic(&server, 1, ops, || client.exchange(&said.request, &said.reply))?;
            client.close()?;
            window.stop(server)?;
            Ok(())
        }
    })
}
