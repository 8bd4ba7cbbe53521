//! Clients that keep every rule, and compare every byte of their echoes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use bench_kit::client::Client;
use bench_kit::payload::Kind;

/// Bytes of a message.
const BYTES: usize = 64;

/// Stack of a client's thread, in bytes.
const STACK: usize = 256 * 1024;

/// Connections to one server, each with a thread of its own that sends messages at a steady rate.
pub(super) struct Honest {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Result<Vec<Trip>>>>,
}

/// One message and its echo.
#[derive(Clone, Copy)]
pub(super) struct Trip {
    /// When the message was due.
    pub(super) due: Instant,
    /// From then until the echo was read.
    pub(super) took: Duration,
}

impl Honest {
    /// `clients` connections, on each of which a message is due every `pace`. The connections take turns evenly.
    pub(super) fn start(addr: SocketAddr, clients: u32, pace: Duration) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let connected =
            (0..clients).map(|_| Client::upgrade(addr, "/ws/echo")).collect::<Result<Vec<_>>>()?;
        let begin = Instant::now();
        let spawn = |(client, number): (Client, u32)| {
            let stop = Arc::clone(&stop);
            let first = begin + pace * number / clients;
            let thread = std::thread::Builder::new().name("honest".to_owned()).stack_size(STACK);
            thread.spawn(move || echo(client, first, pace, &stop))
        };
        let clients = connected.into_iter().zip(0..).map(spawn).collect::<Result<_, _>>()?;
        Ok(Self { stop, clients })
    }

    /// The round trips of all connections, which are then closed in order.
    ///
    /// # Errors
    ///
    /// If an echo was lost or differed.
    pub(super) fn stop(self) -> Result<Vec<Trip>> {
        self.stop.store(true, Relaxed);
        let mut trips = Vec::new();
        for client in self.clients {
            let theirs = client.join().map_err(|_| anyhow!("an honest client panicked"))?;
            trips.extend(theirs.context("an honest client lost a message")?);
        }
        Ok(trips)
    }
}

fn echo(
    mut client: Client,
    first: Instant,
    pace: Duration,
    stop: &AtomicBool,
) -> Result<Vec<Trip>> {
    let mut trips = Vec::new();
    let mut due = first;
    while !stop.load(Relaxed) {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let payload = format!("{:0BYTES$}", trips.len());
        let (out, answer) = (
            Kind::Text.client_frame(payload.as_bytes()),
            Kind::Text.server_frame(payload.as_bytes()),
        );
        client.exchange(&out, &answer)?;
        trips.push(Trip { due, took: due.elapsed() });
        due += pace;
    }
    client.close()?;
    Ok(trips)
}
