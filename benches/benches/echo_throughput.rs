//! Many connections at once: an iteration is a round, a batch written to each connection, then every echo read.
//!
//! `x1` is the closed loop, a message of each connection in flight; `x16` is a client that pipelines.

use std::net::SocketAddr;

use anyhow::Result;
use bench_kit::client::Client;
use bench_kit::payload::{Exchange, Kind};
use bench_kit::tcp_echo;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use server::{Config, Embedded};

mod run;

/// One shape of traffic, measured with every number of `connections`.
struct Shape {
    kind: Kind,
    size: usize,
    /// The size as it is spelled in an id.
    size_name: &'static str,
    /// Messages in a batch. A batch fits the socket's buffers, or writing it before reading could deadlock.
    batch: usize,
    connections: &'static [usize],
}

const SHAPES: [Shape; 3] = [
    Shape {
        kind: Kind::Text,
        size: 64,
        size_name: "64b",
        batch: 1,
        connections: &[1, 10, 50, 100],
    },
    Shape {
        kind: Kind::Text,
        size: 64,
        size_name: "64b",
        batch: 16,
        connections: &[1, 10, 50, 100],
    },
    Shape { kind: Kind::Binary, size: 16 * 1024, size_name: "16kib", batch: 1, connections: &[10] },
];

fn main() -> Result<()> {
    run::run(echo_throughput)
}

fn echo_throughput(criterion: &mut Criterion) -> Result<()> {
    let server = Embedded::start(Config::default())?;
    let floor = tcp_echo::start()?;
    let mut group = criterion.benchmark_group("echo_throughput");
    for Shape { kind, size, size_name, batch, connections } in SHAPES {
        for &connections in connections {
            let messages = (connections * batch) as u64;
            let bytes = 2 * messages * size as u64;
            group.throughput(Throughput::ElementsAndBytes { elements: messages, bytes });
            let id = |kind| {
                BenchmarkId::new(format!("{kind}_{size_name}_x{batch}"), format!("c{connections}"))
            };
            let echo = |addr| Client::upgrade(addr, "/ws/echo");
            let clients = open(connections, server.addr(), echo)?;
            let exchange = Exchange::echo(kind, size).pipelined(batch);
            measure(&mut group, id(kind.name()), clients, &exchange);
            let clients = open(connections, floor.addr(), Client::connect)?;
            let exchange = Exchange::tcp(kind, size).pipelined(batch);
            measure(&mut group, id("tcp"), clients, &exchange);
        }
    }
    group.finish();
    server.stop()?;
    floor.stop()
}

fn open(
    connections: usize,
    addr: SocketAddr,
    connect: impl Fn(SocketAddr) -> Result<Client>,
) -> Result<Vec<Client>> {
    (0..connections).map(|_| connect(addr)).collect()
}

fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    id: BenchmarkId,
    mut clients: Vec<Client>,
    exchange: &Exchange,
) {
    group.bench_function(id, |bencher| {
        bencher
            .iter(|| round(&mut clients, exchange).expect("the server echoes on every connection"));
    });
}

fn round(clients: &mut [Client], Exchange { out, answer }: &Exchange) -> Result<()> {
    for client in &mut *clients {
        client.send(out)?;
    }
    for client in clients {
        client.expect(answer)?;
    }
    Ok(())
}
