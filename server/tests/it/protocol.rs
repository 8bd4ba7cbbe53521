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
fn an_unmasked_frame_is_closed_with_1002() {
    check(&[0x81, 2, b'n', b'o'], 1002, ErrorKind::Protocol);
}

#[test]
fn a_reserved_bit_is_closed_with_1002() {
    for bit in [0x40, 0x20, 0x10] {
        check(&frame(0x81 | bit, b"no"), 1002, ErrorKind::Protocol);
    }
}

#[test]
fn an_unknown_opcode_is_closed_with_1002() {
    for opcode in (0x3..=0x7).chain(0xb..=0xf) {
        check(&frame(0x80 | opcode, b""), 1002, ErrorKind::Protocol);
    }
}

#[test]
fn a_control_frame_over_125_bytes_is_closed_with_1002() {
    for opcode in 0x8..=0xa {
        check(&frame(0x80 | opcode, &[b'x'; 126]), 1002, ErrorKind::Protocol);
    }
}

#[test]
fn a_fragmented_control_frame_is_closed_with_1002() {
    for opcode in 0x8..=0xa {
        check(&frame(opcode, b""), 1002, ErrorKind::Protocol);
    }
}

#[test]
fn a_continuation_without_a_first_fragment_is_closed_with_1002() {
    check(&frame(0x80, b"of what?"), 1002, ErrorKind::Protocol);
}

#[test]
fn a_message_inside_another_is_closed_with_1002() {
    check(&[frame(0x01, b"one"), frame(0x81, b"two")].concat(), 1002, ErrorKind::Protocol);
}

#[test]
fn a_close_frame_of_one_byte_is_closed_with_1002() {
    check(&frame(0x88, &[3]), 1002, ErrorKind::Protocol);
}

#[test]
fn text_that_is_not_utf8_is_closed_with_1007() {
    check(&frame(0x81, b"\xc3\x28"), 1007, ErrorKind::Utf8);
    // Ends in the middle of a character.
    check(&frame(0x81, b"\xe2\x82"), 1007, ErrorKind::Utf8);
    // The error is in the first of two fragments.
    check(&[frame(0x01, b"\xff"), frame(0x80, b"")].concat(), 1007, ErrorKind::Utf8);
}

#[test]
fn binary_need_not_be_utf8() {
    let server = Server::start();
    let mut peer = Peer::upgraded(server.addr(), "/ws/echo");
    peer.send(&frame(0x82, b"\xc3\x28"));
    assert_eq!(peer.frame(), (0x82, b"\xc3\x28".to_vec()));
}

#[test]
fn a_message_over_the_limit_is_closed_with_1009() {
    check(&frame(0x82, &[0; 64 * 1024 + 1]), 1009, ErrorKind::TooBig);
}

#[test]
fn fragments_that_add_up_to_more_than_the_limit_are_closed_with_1009() {
    let fragments = [frame(0x02, &[0; 40 * 1024]), frame(0x80, &[0; 40 * 1024])].concat();
    check(&fragments, 1009, ErrorKind::TooBig);
}

#[test]
fn a_declared_length_over_the_limit_is_closed_with_1009() {
    let gigabyte = (1_u64 << 30).to_be_bytes();
    check(&[&[0x82, 0xff], &gigabyte[..], &[0; 4]].concat(), 1009, ErrorKind::TooBig);
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
