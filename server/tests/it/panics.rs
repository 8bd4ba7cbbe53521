//! A panic ends the connection that it happened in, and nothing else. Panics are planted: in the stream below the
//! server, and by [`Config::fault`].

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use serde_json::Value;
use server::Config;
use server::config::Place;
use server::stats::ErrorKind;

use crate::support::{
    Client, Peer, Server, assert_echoes, client, closes, errors, frame, get, request, text,
};

const INTERNAL: &str = "internal error";

fn seq(subscriber: &mut Client) -> u64 {
    let snapshot: Value = serde_json::from_str(&text(subscriber)).expect("a snapshot is JSON");
    snapshot["seq"].as_u64().expect("a number")
}

#[test]
fn a_session_that_panics_is_closed_with_1011_and_the_others_go_on() {
    let (server, gates) = Server::gated();
    let mut other = client(server.addr(), "/ws/echo");
    let mut panics = 0;
    for path in ["/ws/echo", "/ws/dashboard"] {
        for in_write in [false, true] {
            let mut peer = Peer::upgraded(server.addr(), path);
            if path == "/ws/dashboard" {
                assert_eq!(peer.frame().0, 0x81);
            }
            server.settle();
            let gate = gates.of(peer.socket());
            if in_write {
                gate.panic_in_write();
            } else {
                gate.panic_in_read();
            }
            peer.send(&frame(0x89, b"hi"));
            // An answer that was already fed comes before the close frame.
            let (first, payload) = match peer.frame() {
                (0x8a, _) => peer.frame(),
                answer => answer,
            };
            assert_eq!((first, &payload[..2]), (0x88, &1011_u16.to_be_bytes()[..]), "{path}");
            assert_eq!(&payload[2..], INTERNAL.as_bytes());
            peer.send(&frame(0x88, &1011_u16.to_be_bytes()));
            peer.ended();
            // Behind a read that panicked nothing can be read, so the server waits for the end of the stream.
            drop(peer);
            panics += 1;
            let counters = server.until(|counters| counters.connections_open == 1);
            assert_eq!(errors(&counters, ErrorKind::Internal), panics);
            assert_eq!((closes(&counters, 1011), counters.dashboard_open), (panics, 0));
            assert_echoes(&mut other, "still here");
        }
    }
    assert_eq!(server.counters().echo_open, 1);
}

#[test]
fn a_panic_before_the_upgrade_ends_the_connection_and_is_counted() {
    let (server, gates) = Server::gated();
    let mut peer = Peer::connect(server.addr());
    server.settle();
    gates.of(peer.socket()).panic_in_read();
    peer.send(request("GET /healthz HTTP/1.1", &[]).as_bytes());
    peer.ended();
    let counters = server.until(|counters| errors(counters, ErrorKind::Internal) == 1);
    assert_eq!(counters.connections_open, 0);
    assert_eq!(get(server.addr(), "/healthz").status, 200);
}

#[test]
fn a_panic_in_the_close_ends_the_connection_and_the_drain_ends_in_order() {
    let (server, gates) = Server::gated();
    let mut peer = Peer::upgraded(server.addr(), "/ws/echo");
    server.settle();
    let gate = gates.of(peer.socket());
    gate.panic_in_read();
    gate.panic_in_write();
    peer.send(&frame(0x81, b"hi"));
    peer.ended();
    let counters = server.until(|counters| errors(counters, ErrorKind::Internal) == 2);
    assert_eq!((counters.connections_open, counters.echo_open), (0, 0));
    let stopped = server.stopping().join().expect("the server does not panic");
    assert!(stopped.report.drained);
    assert_eq!(stopped.alive_tasks, 0);
}

#[test]
fn an_answer_that_panics_is_500_and_the_connection_ends() {
    fn fault(place: Place) {
        static ONCE: AtomicBool = AtomicBool::new(false);
        assert!(place != Place::Request || ONCE.swap(true, SeqCst), "planted in a request");
    }
    let server = Server::with(Config { fault: Some(fault), ..Config::default() });
    for path in ["/ws/echo", "/metrics"] {
        let expected = if path == "/ws/echo" { 500 } else { 200 };
        let response = get(server.addr(), path);
        assert_eq!(response.status, expected, "{}", response.body);
    }
    assert_eq!(errors(&server.counters(), ErrorKind::Internal), 1);
}

#[test]
fn a_hub_that_panics_goes_on_with_the_next_number() {
    fn fault(place: Place) {
        static TICKS: AtomicU64 = AtomicU64::new(0);
        let third = place == Place::Hub && TICKS.fetch_add(1, SeqCst) == 2;
        assert!(!third, "planted in the hub");
    }
    let server = Server::with(Config { fault: Some(fault), ..Config::default() });
    let mut subscriber = client(server.addr(), "/ws/dashboard");
    let mut echo = client(server.addr(), "/ws/echo");
    assert_eq!(seq(&mut subscriber), 1);
    server.tick(1);
    assert_eq!(seq(&mut subscriber), 2);
    server.advance(Config::default().tick);
    server.until(|counters| errors(counters, ErrorKind::Internal) == 1);
    server.settle();
    assert_echoes(&mut echo, "still here");
    for expected in 3..10 {
        server.tick(1);
        assert_eq!(seq(&mut subscriber), expected);
    }
    assert_eq!(get(server.addr(), "/healthz").body, "ok\n");
    assert_eq!(errors(&server.counters(), ErrorKind::Internal), 1);
}

#[test]
fn a_server_whose_hub_panics_again_and_again_is_unhealthy_until_it_publishes() {
    static FAULTY: AtomicBool = AtomicBool::new(false);
    fn fault(place: Place) {
        assert!(place != Place::Hub || !FAULTY.load(SeqCst), "planted in the hub");
    }
    let server = Server::with(Config { fault: Some(fault), ..Config::default() });
    FAULTY.store(true, SeqCst);
    for _ in 0..20 {
        server.advance(Duration::from_millis(250));
        assert_eq!(get(server.addr(), "/healthz").status, 200);
    }
    server.advance(Duration::from_millis(250));
    let response = get(server.addr(), "/healthz");
    assert_eq!(response.status, 503);
    assert_eq!(response.body, "unhealthy: no snapshot for 5 s; the log says why\n");
    for _ in 0..400 {
        server.advance(Duration::from_millis(250));
    }
    assert_eq!(get(server.addr(), "/healthz").status, 503);
    // After 0.25, 0.5, 1, 2, 4, 8 and 16 s, and then every 30 s.
    let panics = errors(&server.counters(), ErrorKind::Internal);
    assert!((8..12).contains(&panics), "{panics} panics");
    assert_echoes(&mut client(server.addr(), "/ws/echo"), "still here");

    FAULTY.store(false, SeqCst);
    for _ in 0..120 {
        server.advance(Duration::from_millis(250));
    }
    assert_eq!(get(server.addr(), "/healthz").body, "ok\n");
    assert!(seq(&mut client(server.addr(), "/ws/dashboard")) > 1);
}

#[test]
fn a_drain_needs_no_hub() {
    fn fault(place: Place) {
        assert!(place != Place::Hub, "planted in the hub");
    }
    let server = Server::with(Config { fault: Some(fault), ..Config::default() });
    server.until(|counters| errors(counters, ErrorKind::Internal) == 1);
    let stopped = server.stopping().join().expect("the server does not panic");
    assert!(stopped.report.drained);
    assert_eq!(stopped.alive_tasks, 0);
}
