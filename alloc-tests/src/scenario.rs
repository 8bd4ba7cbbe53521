//! Shapes that several scenarios have in common.

use anyhow::Context as _;
use plimsoll::Scenario;
use plimsoll::ws::{Client, Frame, MemoryPeer};
use server::{Config, Embedded};

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
            window.traffic(&server, 1, ops / depth, || {
                client.exchange(&batch.request, &batch.reply)
            })?;
            client.close()?;
            window.stop(server)?;
            Ok(())
        }
    })
}

/// Connections in flight at once. With more, the runtime's queue grows at a time that depends on the kernel.
const IN_FLIGHT: usize = 50;

/// `clients` open connections with `message`, fifty in flight at once.
#[must_use]
pub fn echo_of_many(message: Frame, ops: u64, clients: u64) -> Scenario {
    assert!(ops.is_multiple_of(clients), "{ops} messages do not make whole turns of {clients}");
    scenario("message", ops, move |ops| {
        let (message, mut many) = (message.clone(), Client::several(clients));
        move |window| {
            let server = window.start()?;
            many.iter_mut().try_for_each(|client| client.upgrade(server.addr(), "/ws/echo"))?;
            window.traffic(&server, clients, ops / clients, || {
                many.chunks_mut(IN_FLIGHT).try_for_each(|some| {
                    some.iter_mut().try_for_each(|client| client.send(&message.request))?;
                    some.iter_mut().try_for_each(|client| client.expect(&message.reply))
                })
            })?;
            for (client, left) in many.iter_mut().zip((0..clients).rev()) {
                client.close()?;
                window.until_open(&server, left)?;
            }
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

/// The close frame of a server whose peer broke a rule: the code with its reason.
///
/// # Panics
///
/// If the server gives no reason for `code`.
#[must_use]
pub fn refusal(code: u16) -> &'static [u8] {
    match code {
        1002 => b"\x88\x10\x03\xeaprotocol error",
        1007 => b"\x88\x13\x03\xeftext is not UTF-8",
        1009 => b"\x88\x11\x03\xf1message too big",
        1013 => b"\x88\x0a\x03\xf5too slow",
        _ => panic!("the server closes no connection with {code}"),
    }
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

/// Rounds of `cases`, each on a connection of its own, which is closed on both sides before the next one starts.
pub fn cases<C: 'static>(
    rounds: u64,
    config: fn(Config) -> Config,
    cases: impl Fn() -> Vec<C> + 'static,
    one: impl Fn(&mut Client, &Embedded, &C) -> anyhow::Result<()> + Clone + 'static,
) -> Scenario {
    scenario("round", rounds, move |ops| {
        let (mut client, cases) = (Client::default(), cases());
        let one = one.clone();
        move |window| {
            let server = window.start_with(config(window.config()))?;
            for case in (0..ops).flat_map(|_| cases.iter().enumerate()) {
                one(&mut client, &server, case.1).with_context(|| format!("case {}", case.0))?;
                client.drop_connection();
                window.until_open(&server, 0)?;
            }
            window.stop(server)?;
            Ok(())
        }
    })
}
