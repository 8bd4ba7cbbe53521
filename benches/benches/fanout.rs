//! One dashboard tick to every subscriber: from the advance of the clock until the last subscriber has the whole snapshot.
//!
//! The driver reads the subscribers one after the other and waits for each.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bench_kit::client::Client;
use bench_kit::descriptors;
use bench_kit::tcp_fanout::TcpFanout;
use criterion::Throughput;
use server::clock::ManualClock;
use server::{Clock, Config, Embedded};

mod run;

const SUBSCRIBERS: [usize; 4] = [1, 10, 100, 1000];

/// Both ends of every connection are in this process, to the server and to the floor; the rest is for the runtimes and
/// criterion.
const DESCRIPTORS: u64 = 4 * 1000 + 100;

/// The server's tick. With its default, subscribers would count as idle after a hundred iterations, and be pinged.
const TICK: Duration = Duration::from_micros(1);

fn main() -> Result<()> {
    descriptors::raise(DESCRIPTORS)?;
    run::run("fanout", |group| SUBSCRIBERS.into_iter().try_for_each(|count| fanout(group, count)))
}

fn fanout(group: &mut run::Group<'_>, count: usize) -> Result<()> {
    let clock = ManualClock::default();
    let config = Config { clock: Clock::Manual(clock.clone()), tick: TICK, ..Config::default() };
    let server = Embedded::start(config)?;
    let mut subscribers = Subscribers::connect(server.addr(), count)?;
    // As many bytes as a snapshot has.
    let frame = subscribers.snapshot.clone();
    let floor = TcpFanout::start(frame.clone())?;
    let mut raw = Vec::new();
    for _ in 0..count {
        let mut client = Client::connect(floor.addr())?;
        client.expect(&frame)?;
        raw.push(client);
    }
    let elements = count as u64;
    group.measure(
        ["text", &format!("c{count}")],
        Throughput::ElementsAndBytes { elements, bytes: elements * frame.len() as u64 },
        || {
            clock.advance(TICK);
            subscribers.read_next().expect("every subscriber gets the same new snapshot");
        },
        || {
            floor.tick();
            for client in &mut raw {
                client.expect(&frame).expect("every connection gets the frame");
            }
        },
    );
    // The server drains on its manual clock, so the subscribers must leave first.
    drop((subscribers, raw));
    server.stop()?;
    floor.stop()
}

struct Subscribers {
    clients: Vec<Client>,
    /// The number of the last snapshot.
    seq: u64,
    snapshot: Vec<u8>,
    /// How the next snapshot must begin; kept so that an iteration does not allocate.
    opening: Vec<u8>,
}

impl Subscribers {
    fn connect(addr: SocketAddr, count: usize) -> Result<Self> {
        let (seq, opening) = (1, Vec::new());
        let mut subscribers = Self { clients: Vec::new(), seq, snapshot: Vec::new(), opening };
        for _ in 0..count {
            let mut client = Client::upgrade(addr, "/ws/dashboard")?;
            // The first snapshot proves the subscription: no later one can be missed.
            subscribers.snapshot = client.text()?.to_vec();
            subscribers.clients.push(client);
        }
        Ok(subscribers)
    }

    /// Reads the next snapshot on every connection; all must be equal.
    fn read_next(&mut self) -> Result<()> {
        self.seq += 1;
        self.opening.clear();
        write!(self.opening, "{{\"skipped\":0,\"seq\":{},", self.seq)?;
        let mut clients = self.clients.iter_mut();
        let first = clients.next().context("no subscriber is connected")?.text()?;
        ensure!(first.starts_with(&self.opening), "snapshot {} is not the next one", self.seq);
        self.snapshot.clear();
        self.snapshot.extend_from_slice(first);
        for client in clients {
            ensure!(client.text()? == self.snapshot, "two subscribers got different snapshots");
        }
        Ok(())
    }
}
