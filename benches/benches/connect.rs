//! A whole connection: TCP, upgrade, closing handshake, end of stream. The floor is a TCP connection with one small round
//! trip, one fewer than the WebSocket needs. The server closes first in both, so that the client's port is free again.

use bench_kit::client::Client;
use bench_kit::payload::{Exchange, Kind};
use bench_kit::tcp_echo;
use criterion::{BenchmarkId, Criterion, Throughput};
use server::{Config, Embedded};

mod run;

fn main() -> anyhow::Result<()> {
    run::run(connect)
}

fn connect(criterion: &mut Criterion) -> anyhow::Result<()> {
    let server = Embedded::start(Config::default())?;
    let floor = tcp_echo::start_once()?;
    let (ws, tcp) = (server.addr(), floor.addr());
    let mut group = criterion.benchmark_group("connect");
    group.throughput(Throughput::Elements(1));
    group.bench_function(BenchmarkId::new("handshake", "plain"), |bencher| {
        bencher.iter(|| {
            Client::upgrade(ws, "/ws/echo")
                .and_then(Client::close)
                .expect("both handshakes succeed");
        });
    });
    let Exchange { out, answer } = Exchange::tcp(Kind::Text, 64);
    group.bench_function(BenchmarkId::new("tcp", "plain"), |bencher| {
        bencher.iter(|| {
            let mut client = Client::connect(tcp).expect("the server accepts");
            client.exchange(&out, &answer).expect("the server echoes");
            client.expect_end().expect("the server closes");
        });
    });
    group.finish();
    server.stop()?;
    floor.stop()
}
