//! Fifty connections that all have a message in flight at once, on one thread.

use alloc_tests::window;
use plimsoll::{Client, Frame, Scenario, frame};

const CONNECTIONS: u64 = 50;

pub(crate) fn scenario() -> Scenario {
    window::scenario("message", 1000, |ops| {
        let mut clients = Client::several(CONNECTIONS);
        let message = Frame::text(&frame::ascii(64));
        move |window| {
            let server = window.start()?;
            for client in &mut clients {
                client.upgrade(server.addr(), "/ws/echo")?;
            }
            for _ in 0..ops / CONNECTIONS {
                clients.iter_mut().try_for_each(|client| client.send(&message.request))?;
                clients.iter_mut().try_for_each(|client| client.expect(&message.reply))?;
            }
            for (client, left) in clients.iter_mut().zip((0..CONNECTIONS).rev()) {
                client.close()?;
                window.until_open(&server, left)?;
            }
            window.stop(server)?;
            Ok(())
        }
    })
}
