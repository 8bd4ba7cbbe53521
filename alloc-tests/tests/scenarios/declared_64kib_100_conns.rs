//! Connections that are all open at once, each with the header of a 64 KiB frame whose payload does not come: held bytes
//! are about those of idle connections.

use alloc_tests::window;
use plimsoll::Scenario;
use plimsoll::io_count::IO;
use plimsoll::ws::Client;

/// Fourteen bytes, masked with zeros.
const HEADER: &[u8] = b"\x82\xff\0\0\0\0\0\x01\0\0\0\0\0\0";

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 100, |ops| {
        let mut clients = Client::several(ops);
        move |window| {
            let server = window.start()?;
            for client in &mut clients {
                client.upgrade(server.addr(), "/ws/echo")?;
            }
            window.until(&server, "all clients are upgraded", |counters| {
                counters.echo_open == ops
            })?;
            for client in &mut clients {
                let reads = IO.reads();
                client.send(HEADER)?;
                window.until_read(reads + 1)?;
            }
            window.hold()?;
            for (client, left) in clients.iter_mut().zip((0..ops).rev()) {
                client.drop_connection();
                window.until_open(&server, left)?;
            }
            window.stop(server)?;
            Ok(())
        }
    })
}
