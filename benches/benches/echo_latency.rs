//! One message at a time on one connection: the round trip, by size. The floor is the same payload over raw TCP.

use bench_kit::client::Client;
use bench_kit::payload::{Exchange, Kind};
use bench_kit::tcp_echo;
use bench_show::units;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use server::{Config, Embedded};

mod run;

/// The kinds of message at each size. The server validates text but not binary; a size with both shows the difference.
const MEMBERS: [(usize, &[Kind]); 6] = [
    (16, &[Kind::Text]),
    (64, &[Kind::Text, Kind::Binary]),
    (1024, &[Kind::Text]),
    (16 * 1024, &[Kind::Text, Kind::Binary]),
    (64 * 1024, &[Kind::Binary]),
    (LARGEST, &[Kind::Binary]),
];

const LARGEST: usize = 1024 * 1024;

fn main() -> anyhow::Result<()> {
    run::run(echo_latency)
}

fn echo_latency(criterion: &mut Criterion) -> anyhow::Result<()> {
    let config = Config { max_message: LARGEST, ..Config::default() };
    let server = Embedded::start(config)?;
    let floor = tcp_echo::start()?;
    let mut group = criterion.benchmark_group("echo_latency");
    for (size, kinds) in MEMBERS {
        group.throughput(Throughput::ElementsAndBytes { elements: 1, bytes: 2 * size as u64 });
        for kind in kinds {
            let client = Client::upgrade(server.addr(), "/ws/echo")?;
            measure(&mut group, kind.name(), size, client, &Exchange::echo(*kind, size));
        }
        let client = Client::connect(floor.addr())?;
        measure(&mut group, "tcp", size, client, &Exchange::tcp(kinds[0], size));
    }
    group.finish();
    server.stop()?;
    floor.stop()
}

fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    function: &str,
    size: usize,
    mut client: Client,
    Exchange { out, answer }: &Exchange,
) {
    group.bench_function(BenchmarkId::new(function, units::size(size)), |bencher| {
        bencher.iter(|| client.exchange(out, answer).expect("the server echoes"));
    });
}
