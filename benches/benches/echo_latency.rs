//! One message at a time on one connection: the round trip, by size. The floor is the same payload over raw TCP.

use bench_kit::client::Client;
use bench_kit::payload::{Exchange, Kind};
use bench_kit::tcp_echo;
use bench_show::units;
use criterion::Throughput;
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
    run::run("echo_latency", echo_latency)
}

fn echo_latency(group: &mut run::Group<'_>) -> anyhow::Result<()> {
    let config = Config { max_message: LARGEST, ..Config::default() };
    let server = Embedded::start(config)?;
    let floor = tcp_echo::start()?;
    for (size, kinds) in MEMBERS {
        for kind in kinds {
            let mut client = Client::upgrade(server.addr(), "/ws/echo")?;
            let mut raw = Client::connect(floor.addr())?;
            let (echo, tcp) = (Exchange::echo(*kind, size), Exchange::tcp(*kind, size));
            group.measure(
                [kind.name(), &units::size(size)],
                Throughput::ElementsAndBytes { elements: 1, bytes: 2 * size as u64 },
                || client.exchange(&echo.out, &echo.answer).expect("the server echoes"),
                || raw.exchange(&tcp.out, &tcp.answer).expect("the floor echoes"),
            );
        }
    }
    server.stop()?;
    floor.stop()
}
