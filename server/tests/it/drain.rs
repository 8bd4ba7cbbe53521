//! Shutdown: every peer is told, and a peer that does not react is dropped.

use std::net::TcpStream;
use std::time::Duration;

use server::stats::ErrorKind;
use server::{Config, Context};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    Client, Peer, Server, assert_echoes, client, closed, closes, errors, frame, request, text,
};

const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// A connection that has sent half of a request, so that a drain waits for it.
fn half_asked(server: &Server, path: &str) -> Peer {
    let mut peer = Peer::connect(server.addr());
    peer.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n").as_bytes());
    server.settle();
    peer
}

fn ask(peer: &mut Peer) -> u16 {
    peer.send(b"\r\n");
    peer.response().status
}

#[test]
fn an_idle_server_stops_at_once() {
    let stopped = Server::start().stopping().join().expect("the server does not panic");
    assert!(stopped.report.drained);
    assert_eq!(stopped.alive_tasks, 0);
    assert_eq!(stopped.report.counters, server::stats::Counters::default());
}

#[test]
fn every_session_is_closed_with_1001_and_the_counters_add_up() {
    let server = Server::start();
    let mut echo: Vec<Client> = (0..5).map(|_| client(server.addr(), "/ws/echo")).collect();
    let mut dashboard: Vec<Client> =
        (0..3).map(|_| client(server.addr(), "/ws/dashboard")).collect();
    for client in &mut dashboard {
        text(client);
    }
    for (i, client) in echo.iter_mut().enumerate() {
        assert_echoes(client, &"m".repeat(i));
    }
    server.until(|counters| counters.messages_out == 5);

    let stopping = server.stopping();
    for client in echo.into_iter().chain(dashboard) {
        assert_eq!(closed(client), 1001);
    }
    let stopped = stopping.join().expect("the server does not panic");
    assert!(stopped.report.drained);
    assert_eq!((stopped.report.dropped, stopped.alive_tasks), (0, 0));
    let counters = stopped.report.counters;
    assert_eq!((counters.connections_total, counters.upgrades_total), (8, 8));
    assert_eq!((counters.connections_open, counters.echo_open, counters.dashboard_open), (0, 0, 0));
    assert_eq!((counters.messages_in, counters.messages_out), (5, 5));
    assert_eq!((counters.bytes_in, counters.bytes_out), (10, 10));
    assert_eq!(counters.snapshots_sent, 3);
    assert_eq!((closes(&counters, 1001), counters.closes.iter().sum::<u64>()), (8, 8));
    assert_eq!(counters.errors.iter().sum::<u64>(), 0);
}

#[test]
fn a_draining_server_is_healthy_but_not_ready() {
    let server = Server::start();
    let session = client(server.addr(), "/ws/echo");
    let [mut readyz, mut healthz, mut other] =
        ["/readyz", "/healthz", "/"].map(|path| half_asked(&server, path));
    let mut upgrade = Peer::connect(server.addr());
    let head = Peer::upgrade("/ws/echo");
    let (head, end) = head.split_at(100);
    upgrade.send(head.as_bytes());
    server.settle();

    let stopping = server.stopping();
    assert_eq!(closed(session), 1001);
    assert_eq!(ask(&mut readyz), 503);
    assert_eq!(ask(&mut healthz), 200);
    assert_eq!(ask(&mut other), 200);
    upgrade.send(end.as_bytes());
    let refusal = upgrade.response();
    assert_eq!((refusal.status, refusal.header("retry-after")), (503, Some("1")));
    for peer in [&mut readyz, &mut healthz, &mut other, &mut upgrade] {
        peer.ended();
    }
    let stopped = stopping.join().expect("the server does not panic");
    assert!(stopped.report.drained);
    assert_eq!(stopped.report.counters.errors.iter().sum::<u64>(), 0);
}

#[test]
fn idle_http_connections_end_when_the_drain_begins() {
    let server = Server::start();
    let mut asked = Peer::connect(server.addr());
    asked.send(request("GET /healthz HTTP/1.1", &[]).as_bytes());
    assert_eq!(asked.response().status, 200);
    let mut mute = Peer::connect(server.addr());
    server.settle();
    let stopped = server.stopping().join().expect("the server does not panic");
    assert!(stopped.report.drained);
    assert_eq!(stopped.report.counters.errors.iter().sum::<u64>(), 0);
    asked.ended();
    mute.ended();
}

#[test]
fn messages_sent_before_the_close_frame_are_answered_before_it() {
    let server = Server::start();
    let mut client = client(server.addr(), "/ws/echo");
    client.send(Message::text("in time")).expect("the server takes it");
    server.until(|counters| counters.messages_out == 1);
    let stopping = server.stopping();
    assert_eq!(text(&mut client).as_str(), "in time");
    assert_eq!(closed(client), 1001);
    assert!(stopping.join().expect("the server does not panic").report.drained);
}

#[test]
fn a_peer_that_does_not_answer_1001_is_dropped_after_2_s() {
    let server = Server::start();
    let clock = server.clock();
    let mut stuck = Peer::upgraded(server.addr(), "/ws/echo");
    let [mut told, mut before, mut after] = [(); 3].map(|()| half_asked(&server, "/readyz"));
    let stopping = server.stopping();
    assert_eq!(stuck.close_code(), 1001);
    // The server has only one thread: once it answers, it has sent the close frame and its timer runs.
    assert_eq!(ask(&mut told), 503);
    clock.advance(CLOSE_WITHIN - Duration::from_nanos(1));
    assert_eq!(ask(&mut before), 503);
    stuck.is_quiet();
    clock.advance(Duration::from_nanos(1));
    stuck.ended();
    assert_eq!(ask(&mut after), 503);
    let stopped = stopping.join().expect("the server does not panic");
    assert!(stopped.report.drained, "every connection ended within the drain");
    assert_eq!((stopped.report.dropped, stopped.alive_tasks), (1, 0));
    assert_eq!(closes(&stopped.report.counters, 1001), 1);
}

#[test]
fn connections_that_outlive_the_drain_are_dropped_and_reported() {
    let drain = CLOSE_WITHIN / 2;
    let server = Server::with(Config { drain, ..Config::default() });
    let clock = server.clock();
    let mut stuck = Peer::upgraded(server.addr(), "/ws/echo");
    let mut asking = half_asked(&server, "/readyz");
    let stopping = server.stopping();
    assert_eq!(stuck.close_code(), 1001);
    clock.advance(drain);
    let stopped = stopping.join().expect("the server does not panic");
    assert!(!stopped.report.drained);
    assert_eq!((stopped.report.dropped, stopped.alive_tasks), (2, 0));
    let counters = stopped.report.counters;
    assert_eq!((counters.connections_open, counters.echo_open), (0, 0));
    assert_eq!(errors(&counters, ErrorKind::Internal), 0);
    stuck.ended();
    asking.ended();
}

#[test]
fn dropping_an_embedded_server_stops_it() {
    let server = Server::start();
    let addr = server.addr();
    drop(server);
    TcpStream::connect(addr).expect_err("the listener is closed");
}

#[tokio::test]
async fn an_upgrade_that_is_taken_after_the_drain_began_arrives_whole_and_is_closed() {
    let context = Context::new(Config::default()).expect("the default can be served with");
    let (mut near, far) = tokio::io::duplex(16);
    let served = tokio::spawn({
        let context = context.clone();
        async move { server::serve_connection(far, &context).await }
    });
    near.write_all(Peer::upgrade("/ws/echo").as_bytes()).await.expect("the server reads it");
    let mut answer = vec![near.read_u8().await.expect("the server answers")];
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let stopping =
        tokio::spawn(server::serve_wrapped(listener, context, async {}, |stream| stream));
    while !answer.ends_with(b"server is shutting down") {
        answer.push(near.read_u8().await.expect("a close frame comes"));
    }
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 101 ") && answer.contains("\r\n\r\n"), "{answer}");
    drop(near);
    served.await.expect("serving does not panic");
    let stopped = stopping.await.expect("serving does not panic");
    assert!(stopped.expect("the server does not fail").drained);
}

#[test]
fn a_peer_that_began_to_close_before_the_drain_still_gets_its_answer() {
    let (server, gates) = Server::gated();
    let mut peer = Peer::upgraded(server.addr(), "/ws/echo");
    let gate = gates.of(peer.socket());
    gate.shut();
    peer.send(&frame(0x88, &1000u16.to_be_bytes()));
    server.settle();
    let mut other = Peer::upgraded(server.addr(), "/ws/echo");
    let stopping = server.stopping();
    assert_eq!(other.close_code(), 1001);
    gate.open();
    assert_eq!(peer.close_code(), 1000);
    drop((peer, other));
    let stopped = stopping.join().expect("the server does not panic");
    assert_eq!(closes(&stopped.report.counters, 1000), 1);
}
