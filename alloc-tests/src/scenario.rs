//! What a scenario is, and the few shapes most of them have.

use std::collections::BTreeMap;
use std::time::Duration;

use server::{Config, Embedded};

use crate::client::Client;
use crate::memory::MemoryPeer;
use crate::{Frame, Window};

/// All scenarios of a runner, by id.
pub type Registry = BTreeMap<&'static str, Scenario>;

/// What runs inside the window.
pub type Body = Box<dyn FnOnce(&Window) -> anyhow::Result<()>>;

/// What one operation of a scenario is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// An echoed message.
    Message,
    /// A connection, from its first byte to its last.
    Connection,
    /// A dashboard snapshot.
    Tick,
    /// An HTTP request.
    Request,
    /// A frame through the codec alone.
    Frame,
    /// A server's whole life.
    Start,
}

impl Unit {
    /// As in "per message".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Connection => "connection",
            Self::Tick => "tick",
            Self::Request => "request",
            Self::Frame => "frame",
            Self::Start => "start",
        }
    }
}

/// A server's life with a fixed number of operations in it.
pub struct Scenario {
    unit: Unit,
    ops: u64,
    in_memory: bool,
    prepare: Box<dyn Fn(u64) -> Body>,
}

impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scenario")
            .field("unit", &self.unit)
            .field("ops", &self.ops)
            .field("in_memory", &self.in_memory)
            .finish_non_exhaustive()
    }
}

impl Scenario {
    /// A scenario of `ops` operations, and of twice as many.
    ///
    /// `prepare` is called with either number before the window; what it returns runs inside, and may allocate nothing
    /// of its own there.
    pub fn new<B>(unit: Unit, ops: u64, prepare: impl Fn(u64) -> B + 'static) -> Self
    where
        B: FnOnce(&Window) -> anyhow::Result<()> + 'static,
    {
        let prepare = Box::new(move |ops| -> Body { Box::new(prepare(ops)) });
        Self { unit, ops, in_memory: false, prepare }
    }

    /// Says that no byte of it goes through a kernel and that one thread does everything: the same instructions in
    /// every run, which is what a simulated processor can compare.
    #[must_use]
    pub fn in_memory(self) -> Self {
        Self { in_memory: true, ..self }
    }

    /// What one operation is.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// N.
    #[must_use]
    pub fn ops(&self) -> u64 {
        self.ops
    }

    /// Whether [`Scenario::in_memory`] was said of it.
    #[must_use]
    pub fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    pub(crate) fn prepare(&self, ops: u64) -> Body {
        (self.prepare)(ops)
    }
}

/// One client echoes `message` over TCP, `depth` of them in one write.
#[must_use]
pub fn echo(message: Frame, ops: u64, depth: u64) -> Scenario {
    assert!(ops.is_multiple_of(depth), "{ops} messages do not make whole batches of {depth}");
    Scenario::new(Unit::Message, ops, move |ops| {
        let batch = message.repeated(usize::try_from(depth).expect("a batch fits memory"));
        let mut client = Client::default();
        move |window| {
            let server = window.start()?;
            client.upgrade(server.addr(), "/ws/echo")?;
            for _ in 0..ops / depth {
                client.exchange(&batch.request, &batch.reply)?;
            }
            close(&mut client)?;
            window.stop(server)?;
            Ok(())
        }
    })
}

/// One peer in memory echoes `message`: for messages that a kernel would cut as it likes.
#[must_use]
pub fn echo_in_memory(message: Frame, ops: u64) -> Scenario {
    Scenario::new(Unit::Message, ops, move |ops| {
        let peer = MemoryPeer::new("/ws/echo", message.clone(), ops);
        move |window| window.serve_in_memory([peer])
    })
    .in_memory()
}

/// [`echo_in_memory`] with `depth` messages at once: more than one read takes.
#[must_use]
pub fn echo_batches_in_memory(message: Frame, ops: u64, depth: u64) -> Scenario {
    assert!(ops.is_multiple_of(depth), "{ops} messages do not make whole batches of {depth}");
    Scenario::new(Unit::Message, ops, move |ops| {
        let batch = message.repeated(usize::try_from(depth).expect("a batch fits memory"));
        let peer = MemoryPeer::new("/ws/echo", batch, ops / depth);
        move |window| window.serve_in_memory([peer])
    })
    .in_memory()
}

/// One request after the other on one connection, each answered with 200.
#[must_use]
pub fn requests(ops: u64, request: &'static [u8]) -> Scenario {
    Scenario::new(Unit::Request, ops, move |ops| {
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

/// One connection after the other, on each of which the server is sent something it must refuse: it says why in a close
/// frame, and ends the connection without a reset.
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

/// 1001 with its reason, as a server says it that is told to stop.
pub const AWAY: &[u8] = b"\x88\x19\x03\xe9server is shutting down";

/// Time between two snapshots, for whoever advances the clock by hand: so short that two thousand of them do not make a
/// subscriber look silent.
pub const TICK: Duration = Duration::from_millis(10);

/// A snapshot a tick to `subscribers`, each of whom reads it before the next.
#[must_use]
pub fn ticks(ops: u64, subscribers: u64) -> Scenario {
    Scenario::new(Unit::Tick, ops, move |ops| {
        let mut clients = Client::several(subscribers);
        move |window| {
            let server = window.start_with(Config { tick: TICK, ..window.config() })?;
            for client in &mut clients {
                client.upgrade(server.addr(), "/ws/dashboard")?;
                client.expect_snapshot(1)?;
            }
            for seq in 2..ops + 2 {
                window.clock().advance(TICK);
                clients.iter_mut().try_for_each(|client| client.expect_snapshot(seq))?;
            }
            for (client, left) in clients.iter_mut().zip((0..subscribers).rev()) {
                close(client)?;
                window.until_open(&server, left)?;
            }
            window.stop(server)?;
            Ok(())
        }
    })
}

/// One connection after the other; each is gone on both sides before the next one comes.
pub fn connections(
    ops: u64,
    one: impl Fn(&mut Client, &Embedded) -> anyhow::Result<()> + Clone + 'static,
) -> Scenario {
    Scenario::new(Unit::Connection, ops, move |ops| {
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

/// A close handshake that the client begins.
///
/// # Errors
///
/// If the server does not answer in kind and end the connection.
pub fn close(client: &mut Client) -> anyhow::Result<()> {
    // Encoded by hand: this runs inside the window. 1000, masked with zeros; then unmasked.
    client.exchange(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8], &[0x88, 0x02, 0x03, 0xe8])?;
    client.expect_end()
}
