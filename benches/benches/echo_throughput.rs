//! Many connections at once: an iteration writes a batch to each connection, then reads every echo.
//!
//! `x1` is a closed loop with one message in flight on each connection; `x16` is a client that pipelines.

use std::net::SocketAddr;

use anyhow::Result;
use bench_kit::client::Client;
use bench_kit::payload::{Exchange, Kind};
use bench_kit::tcp_echo;
use bench_show::units;
use criterion::Throughput;
use server::{Config, Embedded};

mod run;

/// One shape of traffic, measured with each number of `connections`.
struct Shape {
    kind: Kind,
    size: usize,
    /// Messages in a batch. A batch must fit the socket's buffers: it is written before anything is read.
    batch: usize,
    connections: &'static [usize],
}

const SHAPES: [Shape; 3] = [
    Shape { kind: Kind::Text, size: 64, batch: 1, connections: &[1, 10, 50, 100] },
    Shape { kind: Kind::Text, size: 64, batch: 16, connections: &[1, 10, 50, 100] },
    Shape { kind: Kind::Binary, size: 16 * 1024, batch: 1, connections: &[10] },
];

fn main() -> Result<()> {
    run::run("echo_throughput", echo_throughput)
}

fn echo_throughput(group: &mut run::Group<'_>) -> Result<()> {
    let server = Embedded::start(Config::default())?;
    let floor = tcp_echo::start()?;
    for Shape { kind, size, batch, connections } in SHAPES {
        let size_id = units::size(size).to_lowercase();
        for &connections in connections {
            let messages = (connections * batch) as u64;
            let echo = |addr| Client::upgrade(addr, "/ws/echo");
            let mut clients = open(connections, server.addr(), echo)?;
            let exchange = Exchange::echo(kind, size).pipelined(batch);
            let mut raw = open(connections, floor.addr(), Client::connect)?;
            let tcp = Exchange::tcp(kind, size).pipelined(batch);
            group.measure(
                [&format!("{}_{size_id}_x{batch}", kind.name()), &format!("c{connections}")],
                Throughput::ElementsAndBytes {
                    elements: messages,
                    bytes: 2 * messages * size as u64,
                },
                || round(&mut clients, &exchange).expect("the server echoes on all connections"),
                || round(&mut raw, &tcp).expect("the floor echoes on all connections"),
            );
        }
    }
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

fn round(clients: &mut [Client], Exchange { out, answer }: &Exchange) -> Result<()> {
    for client in &mut *clients {
        client.send(out)?;
    }
    for client in clients {
        client.expect(answer)?;
    }
    Ok(())
}
