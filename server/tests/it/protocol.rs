//! Frames that RFC 6455 forbids are answered with the close code that it demands, before the connection ends.

use std::io::Write;
use std::net::Shutdown;

use server::stats::ErrorKind;

use crate::support::{Peer, Server, closes, errors, frame};

/// Sends `bytes` to a new session; expects `code`, then the end of the session, counted as `kind`.
#[track_caller]
fn check(bytes: &[u8], code: u16, kind: ErrorKind) {
    let server = Server::start();
    let mut peer = Peer::upgraded(server.addr(), "/ws/echo");
    peer.send(bytes);
    assert_eq!(peer.close_code(), code);
    peer.send(&frame(0x88, &code.to_be_bytes()));
    peer.ended();
    drop(peer);
    let counters = server.until(|counters| counters.connections_open == 0);
    assert_eq!((closes(&counters, code), errors(&counters, kind)), (1, 1));
    assert_eq!(counters.closes.iter().sum::<u64>(), 1);
    assert_eq!(counters.errors.iter().sum::<u64>(), 1);
}

#[test]
fn a_peer_that_answers_the_close_frame_ends_the_session() {
    check(&[0x81, 2, b'n', b'o'], 1002, ErrorKind::Protocol);
}

#[test]
fn a_peer_that_is_still_sending_gets_the_close_frame() {
    let server = Server::start();
    let mut peer = Peer::upgraded(server.addr(), "/ws/echo");
    let message = frame(0x82, &[0; 240 * 1024]);
    let (first, rest) = message.split_at(1024);
    peer.send(first);
    // The server has sent its close frame. The bytes that arrive now must not make the kernel discard it.
    server.until(|counters| closes(counters, 1009) == 1);
    peer.send(rest);
    server.settle();
    assert_eq!(peer.close_code(), 1009);
    peer.socket().shutdown(Shutdown::Write).expect("the server has not reset the connection");
    peer.ended();
    server.until(|counters| counters.connections_open == 0);
}

#[test]
fn a_peer_that_never_stops_sending_is_cut_off() {
    let server = Server::start();
    let mut peer = Peer::upgraded(server.addr(), "/ws/echo");
    let mut socket = peer.socket().try_clone().expect("a descriptor is free");
    let sender = std::thread::spawn(move || {
        let header = [&[0x82, 0xff][..], &(1_u64 << 40).to_be_bytes(), &[0; 4]].concat();
        socket.write_all(&header)?;
        loop {
            socket.write_all(&[0; 4096])?;
        }
    });
    assert_eq!(peer.close_code(), 1009);
    server.until(|counters| counters.connections_open == 0);
    let stopped: std::io::Result<()> = sender.join().expect("the sender does not panic");
    assert!(stopped.is_err());
}
