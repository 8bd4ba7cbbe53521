//! Connections over the limit: a few may ask, all others are refused at once, so that none uses up the descriptors.

use server::Config;

use crate::support::{Peer, Process, Server, assert_echoes, client, command, request};

/// Asserts that a peer is refused and its connection ended without a request.
#[track_caller]
fn assert_refused_at_once(peer: &mut Peer) {
    let refusal = peer.response();
    assert_eq!((refusal.status, refusal.header("retry-after")), (503, Some("1")));
    assert_eq!(refusal.header("connection"), Some("close"));
    assert_eq!(refusal.header("cache-control"), Some("no-store"));
    assert_eq!(refusal.body, "the connection limit is reached\n");
    peer.ended_in_order();
}

#[test]
fn silent_connections_far_over_the_limit_are_refused_at_once() {
    const LIMIT: u64 = 2;
    let server = Server::with(Config { max_connections: LIMIT as usize, ..Config::default() });
    let mut inside = [(); LIMIT as usize].map(|()| client(server.addr(), "/ws/echo"));
    // So many that some must be refused, whatever the machine's limit of descriptors is.
    let mut outside: Vec<_> = (0..100).map(|_| Peer::connect(server.addr())).collect();
    let total = LIMIT + outside.len() as u64;
    let counters = server.until(|counters| counters.connections_total == total);
    let refused = counters.connections_refused as usize;
    assert!((36..100).contains(&refused), "{refused} of 100");
    // Time stands still: no timeout has ended them.
    outside.iter_mut().rev().take(refused).for_each(assert_refused_at_once);
    for client in &mut inside {
        assert_echoes(client, "undisturbed");
    }
    // One of the first is still asked for its request.
    outside[0].send(request("GET /healthz HTTP/1.1", &["Connection: close"]).as_bytes());
    assert_eq!(outside[0].response().status, 200);
    drop(outside);
    server.until(|counters| counters.connections_open == LIMIT);
}

#[test]
fn silent_connections_do_not_use_up_the_descriptors_of_ws_server() {
    let mut limited = command("sh");
    let server = env!("CARGO_BIN_EXE_ws-server");
    limited.args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\"", server, "--bind", "127.0.0.1:0"]);
    let mut process = Process::start(limited);
    let addr = process.announced();
    // As many as it admits; its limit is 0.8 of its descriptors.
    let mut inside: Vec<_> = (0..48).map(|_| client(addr, "/ws/echo")).collect();
    // Few of them may stay, in descriptors that are left; those that came first end after 5 s.
    let mut silent: Vec<_> = (0..100).map(|_| Peer::connect(addr)).collect();
    silent.iter_mut().skip(64).for_each(assert_refused_at_once);
    for client in &mut inside {
        assert_echoes(client, "undisturbed");
    }
    drop(inside);
    process.signal(rustix::process::Signal::TERM);
    let (_, _, stderr) = process.ended();
    assert!(!stderr.contains("cannot accept"), "{stderr}");
}
