//! A server that stops while connections are open: each gets 1001, answers, and ends. One that had begun to close, and has
//! not taken the answer, gets no other close frame.

use alloc_tests::{scenario, window};
use plimsoll::Scenario;
use plimsoll::io_count::IO;
use plimsoll::ws::{Client, Frame};

pub(crate) fn scenario() -> Scenario {
    window::scenario("connection", 20, |ops| {
        let (mut clients, mut closing) = (Client::several(ops), Client::default());
        let (answer, ping) = (Frame::close(1001), Frame::ping(b""));
        move |window| {
            let server = window.start()?;
            IO.select_next();
            closing.upgrade(server.addr(), "/ws/echo")?;
            IO.hold_writes();
            closing.send(b"\x88\x80\0\0\0\0")?;
            for client in &mut clients {
                client.upgrade(server.addr(), "/ws/echo")?;
            }
            // The server has one thread: when it answers this, it has read the close frame.
            clients[0].exchange(&ping.request, &ping.reply)?;
            window.until(&server, "all clients are upgraded", |counters| {
                counters.echo_open == ops + 1
            })?;
            server.request_stop();
            clients.iter_mut().try_for_each(|client| client.expect(scenario::AWAY))?;
            // A turn of the I/O driver, which releases the listener before a connection ends without one.
            let reads = IO.reads();
            clients[0].send(&ping.request)?;
            window.until_read(reads + 1)?;
            IO.release();
            closing.expect(b"\x88\0")?;
            closing.expect_end()?;
            window.until_open(&server, ops)?;
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
