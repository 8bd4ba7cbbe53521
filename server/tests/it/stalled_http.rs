//! Peers that speak HTTP and do not read: dropped after 5 s without progress.

use std::net::Shutdown;
use std::time::Duration;

use rustix::net::sockopt;
use server::clock::ManualClock;
use server::stats::{Counters, ErrorKind};
use server::{Clock, Config, Context};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Peer, Server, assert_echoes, client, errors, pipelining, request};

const INSTANT: Duration = Duration::from_nanos(1);
const STALL_WITHIN: Duration = Duration::from_secs(5);

fn assert_stalled(counters: &Counters, peers: u64) {
    assert_eq!(errors(counters, ErrorKind::Stalled), peers);
    assert_eq!(counters.backpressure_events, peers);
    assert_eq!(counters.errors.iter().sum::<u64>(), peers, "and counted as nothing else");
}

/// Lets time pass until `peers` were dropped as stalled.
fn until_stalled(server: &Server, peers: u64) -> Counters {
    server.until(|counters| {
        server.advance(Duration::from_secs(1));
        errors(counters, ErrorKind::Stalled) == peers
    })
}

#[test]
fn a_peer_that_does_not_take_its_answer_is_dropped_after_5_s() {
    let (server, gates) = Server::gated();
    let mut peer = Peer::connect(server.addr());
    server.settle();
    gates.of(peer.socket()).shut();
    peer.send(request("GET /metrics HTTP/1.1", &[]).as_bytes());
    server.settle();
    server.advance(STALL_WITHIN - INSTANT);
    server.until(|counters| counters.connections_open == 1);
    peer.is_quiet();
    server.advance(INSTANT);
    peer.ended();
    let counters = server.until(|counters| counters.connections_open == 0);
    assert_stalled(&counters, 1);
}

#[test]
fn a_peer_that_does_not_take_its_upgrade_is_dropped_after_5_s() {
    let (server, gates) = Server::gated();
    let mut peer = Peer::connect(server.addr());
    server.settle();
    gates.of(peer.socket()).shut();
    peer.send(Peer::upgrade("/ws/echo").as_bytes());
    server.settle();
    server.advance(STALL_WITHIN);
    peer.ended();
    let counters = server.until(|counters| counters.connections_open == 0);
    assert_stalled(&counters, 1);
    assert_eq!(counters.upgrades_total, 0);
}

#[test]
fn a_peer_that_takes_its_answer_late_is_served_on() {
    let (server, gates) = Server::gated();
    let mut peer = Peer::connect(server.addr());
    server.settle();
    let gate = gates.of(peer.socket());
    for _ in 0..3 {
        gate.shut();
        peer.send(request("GET /healthz HTTP/1.1", &[]).as_bytes());
        server.settle();
        server.advance(STALL_WITHIN - INSTANT);
        gate.open();
        assert_eq!(peer.response().status, 200);
    }
    assert_stalled(&server.counters(), 0);
}

#[tokio::test]
async fn a_peer_that_takes_a_byte_of_its_answer_has_5_s_more() {
    let clock = ManualClock::default();
    let config = Config { clock: Clock::Manual(clock.clone()), ..Config::default() };
    let context = Context::new(config).expect("the default can be served with");
    let (mut near, far) = tokio::io::duplex(16);
    let served = tokio::spawn({
        let context = context.clone();
        async move { server::serve_connection(far, &context).await }
    });
    near.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.expect("the server reads it");
    for _ in 0..20 {
        near.read_u8().await.expect("the server goes on");
        // The server runs until it waits for room again, and for time.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        clock.advance(STALL_WITHIN - INSTANT);
        tokio::task::yield_now().await;
        assert!(!served.is_finished());
    }
    clock.advance(INSTANT);
    served.await.expect("serving does not panic");
    assert_stalled(&context.stats().counters(), 1);
}

#[test]
fn peers_that_pipeline_and_never_read_hold_no_connection_slot() {
    const PEERS: u64 = 20;
    let server = Server::with(Config { max_connections: PEERS as usize, ..Config::default() });
    let peers: Vec<_> = (0..PEERS).map(|_| pipelining(server.addr())).collect();
    server.until(|counters| counters.connections_open == PEERS);
    let counters = until_stalled(&server, PEERS);
    assert_stalled(&counters, PEERS);
    assert_echoes(&mut client(server.addr(), "/ws/echo"), "there is room");
    drop(peers);
}

#[test]
fn a_peer_that_resets_before_it_took_its_answers_is_gone_at_once() {
    let server = Server::start();
    let peer = pipelining(server.addr());
    server.settle();
    sockopt::set_socket_linger(&peer, Some(Duration::ZERO)).expect("a socket takes options");
    drop(peer);
    let counters = server.until(|counters| counters.connections_open == 0);
    assert_eq!(errors(&counters, ErrorKind::Reset), 1);
    assert_eq!(counters.errors.iter().sum::<u64>(), 1);
}

#[test]
fn a_peer_that_ends_its_side_and_never_reads_is_dropped() {
    let server = Server::start();
    let peer = pipelining(server.addr());
    peer.shutdown(Shutdown::Write).expect("a connected socket can be shut down");
    let counters = until_stalled(&server, 1);
    assert_stalled(&counters, 1);
    server.until(|counters| counters.connections_open == 0);
}
