//! A server under manual time, and the clients that talk to it.

mod gate;
mod peer;
mod process;

use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use server::clock::ManualClock;
use server::embedded::Stopped;
use server::stats::{CLOSE_CODES, Counters, ErrorKind};
use server::{Clock, Config, Embedded};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes, WebSocket};

pub(crate) use gate::Gates;
pub(crate) use peer::{Peer, Response, UPGRADE, frame, get, pipelining, request};
pub(crate) use process::{Process, command, ws_server};

/// Longest wait for an expected event. Only a broken server makes a test wait this long.
pub(crate) const BACKSTOP: Duration = Duration::from_secs(30);

/// An embedded server whose clock the test moves.
pub(crate) struct Server {
    /// `None` once the server is stopping.
    embedded: Option<Embedded>,
    clock: ManualClock,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(Config::default())
    }

    /// `config.clock` is replaced by a manual one.
    pub(crate) fn with(config: Config) -> Self {
        Self::wrapped(config, |stream| stream)
    }

    /// Every accepted connection gets a gate that the test can shut.
    pub(crate) fn gated() -> (Self, Gates) {
        Self::gated_with(Config::default())
    }

    pub(crate) fn gated_with(config: Config) -> (Self, Gates) {
        let gates = Gates::default();
        let wrap = gates.clone();
        (Self::wrapped(config, move |stream| wrap.around(stream)), gates)
    }

    /// Every accepted stream passes through `wrap`.
    pub(crate) fn wrapped<S, W>(config: Config, wrap: W) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        W: Fn(server::socket::Accepted) -> S + Send + 'static,
    {
        let clock = ManualClock::default();
        let config = Config { clock: Clock::Manual(clock.clone()), ..config };
        let embedded = Embedded::start_wrapped(config, wrap).expect("a port and a thread are free");
        Self { embedded: Some(embedded), clock }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.embedded().addr()
    }

    pub(crate) fn counters(&self) -> Counters {
        self.embedded().stats().counters()
    }

    fn embedded(&self) -> &Embedded {
        self.embedded.as_ref().expect("only stopping takes it")
    }

    /// Waits until the counters fulfil `what`, and returns them.
    #[track_caller]
    pub(crate) fn until(&self, what: impl Fn(&Counters) -> bool) -> Counters {
        let start = Instant::now();
        loop {
            let counters = self.counters();
            if what(&counters) {
                return counters;
            }
            assert!(start.elapsed() < BACKSTOP, "never came true; the counters are {counters:?}");
            std::thread::yield_now();
        }
    }

    /// Moves time, and lets the server run what is then due.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.settle();
    }

    /// Moves time by one tick, and waits until each of `subscribers` has been offered its snapshot.
    #[track_caller]
    pub(crate) fn tick(&self, subscribers: u64) {
        let offered = self.counters().snapshots_offered + subscribers;
        self.clock.advance(Config::default().tick);
        self.until(|counters| counters.snapshots_offered == offered);
        self.settle();
    }

    /// Returns once the server has read all that its peers sent before this call, and is idle: its only thread has
    /// since accepted, served and closed a new connection.
    pub(crate) fn settle(&self) {
        let mut probe = Peer::connect(self.addr());
        probe.send(request("GET /nowhere HTTP/1.1", &["Connection: close"]).as_bytes());
        assert_eq!(probe.response().status, 404);
        probe.ended();
    }

    /// Stops it on another thread, because the drain waits for peers that the test plays.
    pub(crate) fn stopping(mut self) -> JoinHandle<Stopped> {
        let embedded = self.embedded.take().expect("only stopping takes it");
        std::thread::spawn(move || embedded.stop().expect("the server ends in order"))
    }

    /// The clock, for a test that moves time after the server has stopped accepting.
    pub(crate) fn clock(&self) -> ManualClock {
        self.clock.clone()
    }
}

impl Drop for Server {
    /// Ends it whatever its peers do: time moves until all timeouts have fired.
    fn drop(&mut self) {
        let Some(embedded) = self.embedded.take() else { return };
        let stopping = std::thread::spawn(move || drop(embedded));
        while !stopping.is_finished() {
            self.clock.advance(Duration::from_secs(1));
            std::thread::yield_now();
        }
    }
}

/// A tungstenite client on a blocking socket.
pub(crate) type Client = WebSocket<TcpStream>;

/// A client of `path`, connected.
pub(crate) fn client(addr: SocketAddr, path: &str) -> Client {
    let stream = peer::connect(addr);
    let (client, _) =
        tungstenite::client(format!("ws://{addr}{path}"), stream).expect("the upgrade succeeds");
    client
}

/// The next message. A read with a timeout is interrupted if the process is stopped and goes on; see signal(7).
fn next(client: &mut Client) -> tungstenite::Result<Message> {
    loop {
        match client.read() {
            Err(tungstenite::Error::Io(error))
                if error.kind() == std::io::ErrorKind::Interrupted => {}
            message => return message,
        }
    }
}

/// The next message, which must be text.
#[track_caller]
pub(crate) fn text(client: &mut Client) -> Utf8Bytes {
    match next(client) {
        Ok(Message::Text(text)) => text,
        other => panic!("expected text, got {other:?}"),
    }
}

/// The code of the next message, which must be a close frame; answers it and ends the connection.
#[track_caller]
pub(crate) fn closed(mut client: Client) -> u16 {
    let code = match next(&mut client) {
        Ok(Message::Close(Some(frame))) => u16::from(frame.code),
        other => panic!("expected a close frame, got {other:?}"),
    };
    // The next read sends the answer; then the server ends the stream.
    match next(&mut client) {
        Err(tungstenite::Error::ConnectionClosed) => code,
        other => panic!("expected the end, got {other:?}"),
    }
}

/// WebSockets closed with `code`.
pub(crate) fn closes(counters: &Counters, code: u16) -> u64 {
    let slot = CLOSE_CODES.iter().position(|known| *known == code);
    counters.closes[slot.expect("a code that is counted by itself")]
}

pub(crate) fn errors(counters: &Counters, kind: ErrorKind) -> u64 {
    counters.errors[kind as usize]
}

/// Asserts that one message is echoed.
#[track_caller]
pub(crate) fn assert_echoes(client: &mut Client, message: &str) {
    client.send(Message::text(message)).expect("the server takes it");
    assert_eq!(text(client).as_str(), message);
}
