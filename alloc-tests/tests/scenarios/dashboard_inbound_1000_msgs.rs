//! A subscriber that talks: what it says is read and forgotten, what it pings is answered.

use alloc_tests::{Client, Frame, Scenario, Unit, scenario};

pub(crate) fn scenario() -> Scenario {
    Scenario::new(Unit::Message, 1000, |ops| {
        let mut client = Client::default();
        let said = Frame { reply: Vec::new(), ..Frame::text("hello?") }.then(&Frame::ping(b""));
        move |window| {
            let server = window.start()?;
            client.upgrade(server.addr(), "/ws/dashboard")?;
            client.expect_snapshot(1)?;
            for _ in 0..ops {
                client.exchange(&said.request, &said.reply)?;
            }
            scenario::close(&mut client)?;
            window.stop(server)?;
            Ok(())
        }
    })
}
