//! A server that wastes a known time, to calibrate the timing gate of `ws-compare`; `scripts/calibrate.sh` builds it.
//!
//! The time is wasted in the stream between the server and the socket, so that the server itself has no code for it.

use std::io::{self, IoSlice, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use clap::Parser;
use server::Config;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;

/// As in `ws-server`: both arms of a comparison count what they allocate.
#[global_allocator]
static ALLOCATOR: server::allocations::Counting = server::allocations::Counting;

/// The flags of `ws-server` that a comparison uses, and the time to waste.
#[derive(Debug, Parser)]
struct Flags {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR:PORT")]
    bind: SocketAddr,

    /// Threads that serve
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=1))]
    workers: u8,

    /// Milliseconds between two dashboard snapshots
    #[arg(long, value_name = "MS", default_value_t = 250)]
    tick_ms: u64,

    /// Busy nanoseconds before the first write of each connection, which answers the upgrade
    #[arg(long, value_name = "NS", default_value_t = 0)]
    slow_connection_ns: u64,

    /// Busy nanoseconds before the first write after each flush: once for each batch of echoed messages, or snapshot
    #[arg(long, value_name = "NS", default_value_t = 0)]
    slow_batch_ns: u64,
}

fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let overhead = overhead();
    let delays = [flags.slow_connection_ns, flags.slow_batch_ns].map(Duration::from_nanos);
    let delays = delays.map(|delay| delay.saturating_sub(overhead));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let tick = Duration::from_millis(flags.tick_ms);
        let context = server::Context::new(Config { tick, ..Config::default() })?;
        let listener = TcpListener::bind(flags.bind).await?;
        writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
        let slowed = |stream| Slowed::new(stream, delays, spin);
        server::serve_wrapped(listener, context, std::future::pending(), slowed).await?;
        Ok(())
    })
}

/// Keeps the processor busy: sleeping would cost a timer and a wake-up, and no work.
fn spin(time: Duration) {
    if time.is_zero() {
        return;
    }
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// What a loop takes beyond its time, for reading the clock: 40 ns, a tenth of the shortest loops of a calibration.
fn overhead() -> Duration {
    const LOOPS: u32 = 50;
    let time = Duration::from_nanos(500);
    let beyond = (0..20).map(|_| {
        let begin = Instant::now();
        (0..LOOPS).for_each(|_| spin(time));
        (begin.elapsed() / LOOPS).saturating_sub(time)
    });
    // Other tries were interrupted.
    beyond.min().unwrap_or_default()
}

/// A stream that calls `waste` before it writes.
struct Slowed<S, W> {
    stream: S,
    waste: W,
    /// The delay before the next first write.
    next: Duration,
    batch: Duration,
    /// Whether something was written since the last flush.
    unflushed: bool,
}

impl<S, W: FnMut(Duration)> Slowed<S, W> {
    /// `delays` are those of the first write of the stream, and of the first write after each flush.
    fn new(stream: S, [next, batch]: [Duration; 2], waste: W) -> Self {
        Self { stream, waste, next, batch, unflushed: false }
    }

    fn before_write(&mut self) {
        if !self.unflushed {
            self.unflushed = true;
            (self.waste)(self.next);
            self.next = self.batch;
        }
    }
}

impl<S: AsyncRead + Unpin, W: Unpin> AsyncRead for Slowed<S, W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin, W: FnMut(Duration) + Unpin> AsyncWrite for Slowed<S, W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.before_write();
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.before_write();
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.unflushed = false;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::sync::{Arc, Mutex};

    use server::clock::ManualClock;
    use server::{Clock, Embedded};
    use tokio_tungstenite::tungstenite::{self, Message};

    use super::*;

    const CONNECTION: Duration = Duration::from_secs(2);
    const BATCH: Duration = Duration::from_secs(1);

    /// A server that notes the delays instead of wasting them. Its clock stands still.
    fn server() -> (Embedded, Arc<Mutex<Vec<Duration>>>) {
        let wasted: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let noted = Arc::clone(&wasted);
        let config = Config { clock: Clock::Manual(ManualClock::default()), ..Config::default() };
        let wrap = move |stream| {
            let noted = Arc::clone(&noted);
            Slowed::new(stream, [CONNECTION, BATCH], move |time| {
                noted.lock().expect("no panics").push(time)
            })
        };
        (Embedded::start_wrapped(config, wrap).expect("a port and a thread are free"), wasted)
    }

    fn client(server: &Embedded, path: &str) -> tungstenite::WebSocket<TcpStream> {
        let stream = TcpStream::connect(server.addr()).expect("the server listens");
        let url = format!("ws://{}{path}", server.addr());
        tungstenite::client(url, stream).expect("the upgrade succeeds").0
    }

    #[test]
    fn a_connection_is_slowed_once_and_then_each_batch_once() {
        let (server, wasted) = server();
        let mut client = client(&server, "/ws/echo");
        // The last one is larger than the write buffer, so that its batch takes several writes.
        for message in ["one", "two", &"many".repeat(8 * 1024)] {
            client.send(Message::text(message)).expect("the server takes it");
            assert_eq!(client.read().expect("the server answers"), Message::text(message));
        }
        let wasted = wasted.lock().expect("no panics").clone();
        assert_eq!(wasted, [CONNECTION, BATCH, BATCH, BATCH]);
    }

    #[test]
    fn each_snapshot_of_a_subscriber_is_slowed_once() {
        let (server, wasted) = server();
        let snapshot = client(&server, "/ws/dashboard").read().expect("the server sends one");
        assert!(snapshot.is_text());
        assert_eq!(*wasted.lock().expect("no panics"), [CONNECTION, BATCH]);
    }
}
