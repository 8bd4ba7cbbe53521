//! The closing handshake that a peer begins.

use std::net::Shutdown;

use server::stats::ErrorKind;

use crate::support::{Peer, Server, closes, errors, frame};

/// Sends a close frame with `payload`; expects `answer`, the end of the connection, and the code `counted` in the
/// counters.
#[track_caller]
fn check(payload: &[u8], answer: &[u8], counted: u16) {
    let server = Server::start();
    let mut peer = Peer::upgraded(server.addr(), "/ws/echo");
    peer.send(&frame(0x88, payload));
    assert_eq!(peer.frame(), (0x88, answer.to_vec()));
    peer.ended();
    let counters = server.until(|counters| counters.connections_open == 0);
    assert_eq!(closes(&counters, counted), 1);
    assert_eq!(counters.closes.iter().sum::<u64>(), 1);
    assert_eq!(counters.errors.iter().sum::<u64>(), 0);
}

fn payload(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

#[test]
fn a_close_code_is_echoed() {
    for code in [1000, 1001, 1003, 1008, 1011] {
        check(&payload(code, "done"), &payload(code, "done"), code);
    }
}

#[test]
fn a_private_close_code_is_echoed_and_counted_as_other() {
    for code in [3000, 4999] {
        check(&payload(code, ""), &payload(code, ""), 0);
    }
}

#[test]
fn a_close_without_a_code_is_answered_without_one() {
    check(b"", b"", 1005);
}

#[test]
fn a_close_code_that_must_not_be_sent_is_answered_with_1002() {
    for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
        check(&payload(code, ""), &payload(1002, "Protocol violation"), 1002);
    }
}

#[test]
fn messages_before_a_close_frame_are_answered_before_it() {
    let server = Server::start();
    let mut peer = Peer::upgraded(server.addr(), "/ws/echo");
    peer.send(&[frame(0x81, b"last words"), frame(0x88, &payload(1000, ""))].concat());
    assert_eq!(peer.frame(), (0x81, b"last words".to_vec()));
    assert_eq!(peer.close_code(), 1000);
    peer.ended();
    let counters = server.until(|counters| counters.connections_open == 0);
    assert_eq!((counters.messages_in, counters.messages_out), (1, 1));
}

#[test]
fn a_close_frame_of_a_subscriber_is_answered() {
    let server = Server::start();
    let mut peer = Peer::upgraded(server.addr(), "/ws/dashboard");
    assert_eq!(peer.frame().0, 0x81);
    peer.send(&frame(0x88, &payload(1000, "seen enough")));
    assert_eq!(peer.frame(), (0x88, payload(1000, "seen enough")));
    peer.ended();
    assert_eq!(closes(&server.until(|counters| counters.dashboard_open == 0), 1000), 1);
}

#[test]
fn a_connection_that_ends_without_a_close_frame_is_counted_as_reset() {
    for path in ["/ws/echo", "/ws/dashboard"] {
        let server = Server::start();
        let peer = Peer::upgraded(server.addr(), path);
        peer.socket().shutdown(Shutdown::Both).expect("the connection is open");
        let counters = server.until(|counters| counters.connections_open == 0);
        assert_eq!(errors(&counters, ErrorKind::Reset), 1);
        assert_eq!(counters.closes.iter().sum::<u64>(), 0);
    }
}
