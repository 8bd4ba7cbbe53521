//! A subscriber that sends messages of every shape: they are read and dropped, its pings are answered.

use alloc_tests::snapshots::expect_snapshot;
use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame, ascii};

pub(crate) fn scenario() -> Scenario {
    window::scenario("message", 1000, |ops| {
        let mut client = Client::default();
        let said = [
            Frame::text("hello?"),
            Frame::text(""),
            Frame::binary(100),
            Frame::binary(4096),
            Frame::fragmented(&ascii(200), 3),
        ]
        .map(|said| Frame { reply: Vec::new(), ..said }.then(&Frame::ping(b"")));
        move |window| {
            let server = window.start()?;
            client.upgrade(server.addr(), "/ws/dashboard")?;
            expect_snapshot(&mut client, 1)?;
            let mut next = said.iter().cycle();
            window.traffic(&server, 1, ops, || {
                next.next().map_or(Ok(()), |said| client.exchange(&said.request, &said.reply))
            })?;
            client.close()?;
            window.stop(server)?;
            Ok(())
        }
    })
}
