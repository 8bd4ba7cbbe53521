//! One dashboard tick to every subscriber: from the clock's advance until the last of them has the whole snapshot.
//!
//! The driver reads the subscribers one after the other and waits for each, so the last one ends the iteration.

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

/// Both ends of every connection are in this process, of both servers one after the other; the rest is for the
/// runtimes and criterion.
const DESCRIPTORS: u64 = 2 * 1000 + 100;

/// Time a tick moves the server's clock by. The real default would make subscribers idle, and pinged, after a hundred
/// iterations.
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

/// Returns a snapshot, for the floor to be as long.
fn dashboard(group: &mut BenchmarkGroup<'_, WallTime>, count: usize) -> Result<Vec<u8>> {
    let clock = ManualClock::default();
    let config = Config { clock: Clock::Manual(clock.clone()), tick: TICK, ..Config::default() };
    let server = Embedded::start(config)?;
    let mut audience = Audience::gather(server.addr(), count)?;
    group.throughput(throughput(count, &audience.snapshot));
    group.bench_function(id("text", count), |bencher| {
        bencher.iter(|| {
            clock.advance(TICK);
            audience.hear().expect("every subscriber gets the same new snapshot");
        });
    });
    let snapshot = audience.leave();
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

/// The subscribers of one dashboard, and what they heard last.
struct Audience {
    clients: Vec<Client>,
    seq: u64,
    snapshot: Vec<u8>,
    opening: Vec<u8>,
}

impl Audience {
    fn gather(addr: SocketAddr, count: usize) -> Result<Self> {
        let (seq, opening) = (1, Vec::new());
        let mut audience = Self { clients: Vec::new(), seq, snapshot: Vec::new(), opening };
        for _ in 0..count {
            let mut client = Client::upgrade(addr, "/ws/dashboard")?;
            // The first snapshot is the proof of being subscribed: no later one can be missed.
            audience.snapshot = client.text()?.to_vec();
            audience.clients.push(client);
        }
        Ok(audience)
    }

    /// The next snapshot to everyone: the right one to the first, the same to all others.
    fn hear(&mut self) -> Result<()> {
        self.seq += 1;
        self.opening.clear();
        write!(self.opening, "{{\"skipped\":0,\"seq\":{},", self.seq)?;
        let mut clients = self.clients.iter_mut();
        let first = clients.next().context("a dashboard without subscribers")?.text()?;
        ensure!(first.starts_with(&self.opening), "snapshot {} is not the next one", self.seq);
        self.snapshot.clear();
        self.snapshot.extend_from_slice(first);
        for client in clients {
            ensure!(client.text()? == self.snapshot, "two subscribers got different snapshots");
        }
        Ok(())
    }

    fn leave(self) -> Vec<u8> {
        self.snapshot
    }
}
