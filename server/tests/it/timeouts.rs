//! Timeouts. Time is manual: it moves only by `advance`.

use std::time::Duration;

use server::stats::ErrorKind;

use crate::support::{Peer, Server, closes, errors, frame, request};

const INSTANT: Duration = Duration::from_nanos(1);
const HEADER_WITHIN: Duration = Duration::from_secs(5);
const PING_AFTER: Duration = Duration::from_secs(25);
const PONG_WITHIN: Duration = Duration::from_secs(10);
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

const PING: (u8, Vec<u8>) = (0x89, vec![]);

/// A session that has just sent a message, so that its silence begins now.
fn heard(server: &Server) -> Peer {
    let mut peer = Peer::upgraded(server.addr(), "/ws/echo");
    assert_is_served(&mut peer);
    peer
}

fn assert_is_served(peer: &mut Peer) {
    peer.send(&frame(0x81, b"here"));
    assert_eq!(peer.frame(), (0x81, b"here".to_vec()));
}

#[test]
fn a_client_that_is_slow_to_send_its_head_is_closed_after_5_s() {
    let server = Server::start();
    let mut slow = Peer::connect(server.addr());
    slow.send(b"GET /ws/echo HTTP/1.1\r\nHost: local");
    server.settle();
    server.advance(HEADER_WITHIN - INSTANT);
    // One more byte does not extend the deadline.
    slow.send(b"o");
    server.settle();
    slow.is_quiet();
    server.advance(INSTANT);
    slow.ended();
    let counters = server.until(|counters| counters.connections_open == 0);
    assert_eq!(errors(&counters, ErrorKind::Http), 1);
}

#[test]
fn a_client_that_sends_nothing_is_closed_after_5_s() {
    let server = Server::start();
    let mut mute = Peer::connect(server.addr());
    server.settle();
    server.advance(HEADER_WITHIN - INSTANT);
    mute.is_quiet();
    server.advance(INSTANT);
    mute.ended();
    server.until(|counters| counters.connections_open == 0);
}

#[test]
fn each_request_of_a_connection_has_5_s_of_its_own() {
    let server = Server::start();
    let mut peer = Peer::connect(server.addr());
    for _ in 0..3 {
        peer.send(request("GET /healthz HTTP/1.1", &[]).as_bytes());
        assert_eq!(peer.response().status, 200);
        server.settle();
        server.advance(HEADER_WITHIN - INSTANT);
        peer.is_quiet();
    }
    server.advance(INSTANT);
    peer.ended();
}

#[test]
fn a_kept_alive_connection_that_is_not_used_is_not_an_error() {
    let server = Server::start();
    let mut peer = Peer::connect(server.addr());
    peer.send(request("GET /metrics HTTP/1.1", &[]).as_bytes());
    assert_eq!(peer.response().status, 200);
    server.settle();
    server.advance(HEADER_WITHIN);
    peer.ended();
    let counters = server.until(|counters| counters.connections_open == 0);
    assert_eq!(errors(&counters, ErrorKind::Http), 0);
}

#[test]
fn an_upgraded_connection_has_no_header_timeout() {
    let server = Server::start();
    let mut peer = heard(&server);
    server.advance(HEADER_WITHIN);
    assert_is_served(&mut peer);
}

#[test]
fn a_session_is_not_pinged_before_25_s_of_silence() {
    let server = Server::start();
    let mut peer = heard(&server);
    server.advance(PING_AFTER - INSTANT);
    peer.is_quiet();
    assert_is_served(&mut peer);
}

#[test]
fn a_session_is_pinged_after_25_s_of_silence() {
    for path in ["/ws/echo", "/ws/dashboard"] {
        let server = Server::start();
        let mut peer = Peer::upgraded(server.addr(), path);
        if path == "/ws/dashboard" {
            assert_eq!(peer.frame().0, 0x81);
        }
        server.settle();
        server.advance(PING_AFTER);
        while peer.frame() != PING {}
    }
}

#[test]
fn a_peer_that_does_not_answer_the_ping_is_dropped_after_10_s() {
    let server = Server::start();
    let mut peer = heard(&server);
    server.advance(PING_AFTER);
    assert_eq!(peer.frame(), PING);
    server.settle();
    server.advance(PONG_WITHIN);
    peer.ended();
    let counters = server.until(|counters| counters.connections_open == 0);
    assert_eq!(errors(&counters, ErrorKind::Silent), 1);
    assert_eq!(counters.closes.iter().sum::<u64>(), 0);
}

#[test]
fn a_peer_that_does_not_answer_the_ping_is_kept_for_10_s() {
    let server = Server::start();
    let mut peer = heard(&server);
    server.advance(PING_AFTER);
    assert_eq!(peer.frame(), PING);
    server.settle();
    server.advance(PONG_WITHIN - INSTANT);
    peer.is_quiet();
    assert_is_served(&mut peer);
}

#[test]
fn a_peer_that_answers_every_ping_is_kept() {
    let server = Server::start();
    let mut peer = heard(&server);
    server.advance(PING_AFTER);
    for _ in 0..5 {
        assert_eq!(peer.frame(), PING);
        peer.send(&frame(0x8a, b""));
        server.settle();
        server.advance(PONG_WITHIN);
        peer.is_quiet();
        // 25 s after the pong.
        server.advance(PING_AFTER - PONG_WITHIN);
    }
    assert_eq!(peer.frame(), PING);
    assert_is_served(&mut peer);
    assert_eq!(server.counters().errors.iter().sum::<u64>(), 0);
}

#[test]
fn any_message_counts_as_an_answer_to_the_ping() {
    let server = Server::start();
    let mut peer = heard(&server);
    server.advance(PING_AFTER);
    assert_eq!(peer.frame(), PING);
    assert_is_served(&mut peer);
    server.settle();
    server.advance(PONG_WITHIN);
    peer.is_quiet();
    assert_is_served(&mut peer);
}

#[test]
fn a_peer_that_does_not_answer_the_close_frame_is_dropped_after_2_s() {
    let server = Server::start();
    let mut peer = heard(&server);
    peer.send(&frame(0x83, b""));
    assert_eq!(peer.close_code(), 1002);
    server.settle();
    server.advance(CLOSE_WITHIN - INSTANT);
    assert_eq!(server.counters().echo_open, 1);
    server.advance(INSTANT);
    let counters = server.until(|counters| counters.echo_open == 0);
    assert_eq!(closes(&counters, 1002), 1);
    peer.ended();
}

#[test]
fn a_message_delays_the_ping() {
    let server = Server::start();
    let mut peer = heard(&server);
    server.advance(PING_AFTER - INSTANT);
    assert_is_served(&mut peer);
    server.advance(INSTANT);
    peer.is_quiet();
    server.advance(PING_AFTER - INSTANT);
    assert_eq!(peer.frame(), PING);
}

#[test]
fn a_session_is_pinged_25_s_after_each_pong() {
    let server = Server::start();
    let mut peer = heard(&server);
    for _ in 0..5 {
        server.advance(PING_AFTER);
        assert_eq!(peer.frame(), PING);
        peer.send(&frame(0x8a, b""));
        server.settle();
        server.advance(PONG_WITHIN);
        peer.is_quiet();
        // The next ping is due 25 s after the pong.
        server.advance(PING_AFTER - PONG_WITHIN - INSTANT);
        assert_is_served(&mut peer);
    }
    assert_eq!(server.counters().errors.iter().sum::<u64>(), 0);
}
