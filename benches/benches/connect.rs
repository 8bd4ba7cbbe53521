//! A whole connection: TCP, upgrade, closing handshake, end of stream. The floor is a TCP connection with one small round
//! trip, one fewer than the WebSocket needs. The server closes first in both, so that the client's port is free again.

use bench_kit::client::Client;
use bench_kit::payload::{Exchange, Kind};
use bench_kit::tcp_echo;
use criterion::Throughput;
use server::{Config, Embedded};

mod run;

fn main() -> anyhow::Result<()> {
    run::run("connect", connect)
}

fn connect(group: &mut run::Group<'_>) -> anyhow::Result<()> {
    let server = Embedded::start(Config::default())?;
    let floor = tcp_echo::start_once()?;
    let (ws, tcp) = (server.addr(), floor.addr());
    let Exchange { out, answer } = Exchange::tcp(Kind::Text, 64);
    group.measure(
        ["handshake", "plain"],
        Throughput::Elements(1),
        || {
            Client::upgrade(ws, "/ws/echo")
                .and_then(Client::close)
                .expect("both handshakes succeed");
        },
        || {
            let mut client = Client::connect(tcp).expect("the floor accepts");
            client.exchange(&out, &answer).expect("the floor echoes");
            client.expect_end().expect("the floor closes");
        },
    );
    server.stop()?;
    floor.stop()
}
