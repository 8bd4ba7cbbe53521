//! Shapes that several scenarios have in common.

use plimsoll::memory::MemoryPeer;
use plimsoll::{Client, Frame, Scenario};
use server::Embedded;

use crate::window::scenario;

/// One client echoes `message` over TCP, `depth` of them in one write.
#[must_use]
pub fn echo(message: Frame, ops: u64, depth: u64) -> Scenario {
    assert!(ops.is_multiple_of(depth), "{ops} messages do not make whole batches of {depth}");
    scenario("message", ops, move |ops| {
        let batch = message.repeated(usize::try_from(depth).expect("a batch fits memory"));
        let mut client = Client::default();
        move |window| {
            let server = window.start()?;
            client.upgrade(server.addr(), "/ws/echo")?;
            for _ in 0..ops / depth {
                client.exchange(&batch.request, &batch.reply)?;
            }
            client.close()?;
            window.stop(server)?;
            Ok(())
        }
    })
}

/// One peer in memory echoes `message`, `depth` at once: for messages that a kernel may split differently from run to
/// run, and for more of them than one read takes.
#[must_use]
pub fn echo_in_memory(message: Frame, ops: u64, depth: u64) -> Scenario {
    assert!(ops.is_multiple_of(depth), "{ops} messages do not make whole batches of {depth}");
    scenario("message", ops, move |ops| {
        let batch = message.repeated(usize::try_from(depth).expect("a batch fits memory"));
        let peer = MemoryPeer::new("/ws/echo", batch, ops / depth);
        move |window| window.serve_in_memory([peer])
    })
    .in_memory()
}

/// Requests on one connection, one after the other, each answered with 200.
#[must_use]
pub fn requests(ops: u64, request: &'static [u8]) -> Scenario {
    scenario("request", ops, move |ops| {
        let mut client = Client::default();
        move |window| {
            let server = window.start()?;
            client.connect(server.addr())?;
            for _ in 0..ops {
                client.http(request, b"HTTP/1.1 200 ")?;
            }
            client.drop_connection();
            window.until_open(&server, 0)?;
            window.stop(server)?;
            Ok(())
        }
    })
}

/// Connections one after the other, each with a request that the server must refuse: it sends a close frame with the
/// reason, and ends the connection without a reset.
#[must_use]
pub fn refused(ops: u64, request: &'static [u8], code: u16, reason: &'static str) -> Scenario {
    let length = u8::try_from(2 + reason.len()).expect("a control frame is short");
    let reply = [&[0x88, length], &code.to_be_bytes()[..], reason.as_bytes()].concat();
    connections(ops, move |client, server| {
        client.upgrade(server.addr(), "/ws/echo")?;
        client.exchange(request, &reply)?;
        client.expect_end()
    })
}

/// The close frame of a server that is stopping: 1001 with its reason.
pub const AWAY: &[u8] = b"\x88\x19\x03\xe9server is shutting down";

/// Connections one after the other; each is closed on both sides before the next one starts.
pub fn connections(
    ops: u64,
    one: impl Fn(&mut Client, &Embedded) -> anyhow::Result<()> + Clone + 'static,
) -> Scenario {
    scenario("connection", ops, move |ops| {
        let mut client = Client::default();
        let one = one.clone();
        move |window| {
            let server = window.start()?;
            for _ in 0..ops {
                one(&mut client, &server)?;
                client.drop_connection();
                window.until_open(&server, 0)?;
            }
            window.stop(server)?;
            Ok(())
        }
    })
}
