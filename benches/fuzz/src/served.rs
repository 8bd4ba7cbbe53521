//! One connection of our server, polled by hand, under a clock that only the test moves.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context as Task, Poll, Wake, Waker};
use std::time::Duration;

use server::clock::ManualClock;
use server::{Clock, Config, Context};

use crate::heap;
use crate::link::{Network, State};

/// Most heap that a connection may hold, beside its answers that wait: the buffers of a session, and several messages of
/// the longest kind. A hundred connections would then hold 60 MiB.
const MOST_HEAP: i64 = 600 * 1024;

/// Longest virtual time that a connection may outlive its peer: silence, a ping, and a close handshake.
const OUTLIVES: Duration = Duration::from_secs(60);

/// A connection that is served on a [`Network`].
pub struct Served {
    /// The other end.
    pub network: Network,
    context: Arc<Context>,
    clock: ManualClock,
    /// `None` once it has ended, or was cancelled.
    connection: Option<Pin<Box<dyn Future<Output = ()>>>>,
    woken: Arc<Woken>,
    polls: usize,
    heap: i64,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

impl Served {
    /// A new connection. `config.clock` is replaced.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let clock = ManualClock::default();
        let config = Config { clock: Clock::Manual(clock.clone()), ..config };
        let context = Context::new(config).expect("the settings of a test are valid");
        let (network, link) = Network::new();
        let shared = Arc::clone(&context);
        let connection = Box::pin(async move { server::serve_connection(link, &shared).await });
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let heap = heap::live_bytes();
        Self { network, context, clock, connection: Some(connection), woken, polls: 0, heap }
    }

    /// The server's side of it.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Whether the server still serves it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.connection.is_some()
    }

    /// Changes the network, and runs the server until it waits.
    pub fn change(&mut self, change: impl FnOnce(&mut State)) {
        self.network.change(change);
        self.run();
    }

    /// Sends `bytes`, all of which arrive at once.
    pub fn send(&mut self, bytes: &[u8]) {
        self.change(|state| {
            state.sent.extend_from_slice(bytes);
            state.arrived = state.sent.len();
        });
    }

    /// Moves time, and runs the server until it waits.
    pub fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
        self.run();
    }

    /// Asks the server to shut down.
    pub fn drain(&mut self) {
        self.context.drain();
        self.run();
    }

    /// Polls the connection although nothing woke it.
    pub fn wake(&mut self) {
        self.woken.0.store(true, Relaxed);
        self.run();
    }

    /// Drops the connection in the middle of what it does.
    pub fn cancel(&mut self) {
        self.connection = None;
    }

    /// Lets everything arrive and be written, and ends the peer's side. The connection must then end within
    /// `OUTLIVES`, and nothing of it may be left.
    pub fn end(&mut self) {
        self.change(|state| state.ended = true);
        let mut waited = Duration::ZERO;
        while self.is_open() {
            assert!(waited < OUTLIVES, "the connection outlives its peer");
            waited += Duration::from_secs(1);
            self.advance(Duration::from_secs(1));
        }
        let counters = self.context.stats().counters();
        let open = [counters.connections_open, counters.echo_open, counters.dashboard_open];
        assert_eq!(open, [0; 3], "open connections, echo sessions, subscribers");
        assert!(counters.messages_out <= counters.messages_in, "{counters:?}");
    }

    /// Polls until nothing wakes it.
    pub(crate) fn run(&mut self) {
        let waker = Waker::from(Arc::clone(&self.woken));
        let mut cx = Task::from_waker(&waker);
        while self.woken.0.swap(false, Relaxed) {
            let Some(connection) = &mut self.connection else { return };
            if let Poll::Ready(()) = connection.as_mut().poll(&mut cx) {
                self.connection = None;
            }
            self.polls += 1;
            self.check();
        }
    }

    /// The connection neither spins nor holds more than a bounded amount of memory.
    fn check(&self) {
        let state = self.network.state();
        let bytes = state.sent.len() + state.written.len();
        assert!(self.polls < 10_000 + 16 * bytes, "{} polls for {bytes} bytes", self.polls);
        let held = (state.sent.capacity() + state.written.capacity()) as i64;
        let heap = heap::live_bytes() - self.heap - held;
        assert!(heap < MOST_HEAP, "the connection holds {heap} bytes");
    }
}
