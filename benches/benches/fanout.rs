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
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use server::clock::ManualClock;
use server::{Clock, Config, Embedded};

mod run;

const SUBSCRIBERS: [usize; 4] = [1, 10, 100, 1000];

/// Both ends of every connection are in this process. The two servers run one after the other; the rest is for the
/// runtimes and criterion.
const DESCRIPTORS: u64 = 2 * 1000 + 100;

/// The server's tick. With its default, subscribers would count as idle after a hundred iterations, and be pinged.
const TICK: Duration = Duration::from_micros(1);

fn main() -> Result<()> {
    descriptors::raise(DESCRIPTORS)?;
    run::run(fanout)
}

fn fanout(criterion: &mut Criterion) -> Result<()> {
    let mut group = criterion.benchmark_group("fanout");
    for count in SUBSCRIBERS {
        let snapshot = dashboard(&mut group, count)?;
        floor(&mut group, count, snapshot)?;
    }
    group.finish();
    Ok(())
}

/// Returns a snapshot, so that the floor sends as many bytes.
fn dashboard(group: &mut BenchmarkGroup<'_, WallTime>, count: usize) -> Result<Vec<u8>> {
    let clock = ManualClock::default();
    let config = Config { clock: Clock::Manual(clock.clone()), tick: TICK, ..Config::default() };
    let server = Embedded::start(config)?;
    let mut subscribers = Subscribers::connect(server.addr(), count)?;
    group.throughput(throughput(count, &subscribers.snapshot));
    group.bench_function(id("text", count), |bencher| {
        bencher.iter(|| {
            clock.advance(TICK);
            subscribers.read_next().expect("every subscriber gets the same new snapshot");
        });
    });
    // The server drains on its manual clock, so the subscribers must leave first.
    let Subscribers { snapshot, clients, .. } = subscribers;
    drop(clients);
    server.stop()?;
    Ok(snapshot)
}

fn floor(group: &mut BenchmarkGroup<'_, WallTime>, count: usize, frame: Vec<u8>) -> Result<()> {
    let floor = TcpFanout::start(frame.clone())?;
    let mut clients = Vec::new();
    for _ in 0..count {
        let mut client = Client::connect(floor.addr())?;
        client.expect(&frame)?;
        clients.push(client);
    }
    group.throughput(throughput(count, &frame));
    group.bench_function(id("tcp", count), |bencher| {
        bencher.iter(|| {
            floor.tick();
            for client in &mut clients {
                client.expect(&frame).expect("every connection gets the frame");
            }
        });
    });
    drop(clients);
    floor.stop()
}

fn id(function: &str, count: usize) -> BenchmarkId {
    BenchmarkId::new(function, format!("c{count}"))
}

fn throughput(count: usize, snapshot: &[u8]) -> Throughput {
    let elements = count as u64;
    Throughput::ElementsAndBytes { elements, bytes: elements * snapshot.len() as u64 }
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
