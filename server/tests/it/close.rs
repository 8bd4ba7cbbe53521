//! The closing handshake that a peer begins.

use std::net::Shutdown;

use server::stats::ErrorKind;

use crate::support::{Peer, Server, closes, errors, frame};

fn payload(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
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
