//! The rules of HTTP/1.1 (RFC 9110, RFC 9112) and of the opening handshake, as one connection each: what is sent, and the
//! statuses of the answers.

use std::net::Shutdown;

use server::stats::ErrorKind;

use crate::support::{Peer, Server, errors, frame, request};

const HOST: &str = "Host: localhost\r\n";

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

const PREFACE: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

fn get(path: &str, lines: &str) -> String {
    format!("GET {path} HTTP/1.1\r\n{lines}\r\n")
}

fn upgrade(lines: &str) -> String {
    get("/ws/echo", &format!("{UPGRADE}{lines}"))
}

/// What follows the last answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Open,
    End,
}

/// A new connection on which `sent` is answered with `statuses`, then goes on or ends in order.
#[track_caller]
fn check(server: &Server, sent: impl AsRef<[u8]>, statuses: &[u16], then: Then) {
    let sent = sent.as_ref();
    let mut peer = Peer::connect(server.addr());
    peer.send(sent);
    let shown = String::from_utf8_lossy(&sent[..sent.len().min(200)]);
    let answers: Vec<_> = statuses.iter().map(|_| peer.response().status).collect();
    assert_eq!(answers, statuses, "{shown}");
    match then {
        Then::End => peer.ended_in_order(),
        Then::Open => {
            server.settle();
            peer.is_quiet();
        }
    }
}

#[test]
fn a_host_must_be_there_once_and_be_valid() {
    let server = Server::start();
    for path in ["/", "/healthz", "/readyz", "/metrics", "/nowhere"] {
        for lines in ["", "Host: a\r\nHost: a\r\n", "Host: a\r\nHost: b\r\n"] {
            check(&server, get(path, lines), &[400], Then::End);
        }
    }
    for host in ["", " ", "a b<>@/\\", "user@host", "http://a", "a:80:80", "a:port", "[::1", "%zz"]
    {
        let line = format!("Host: {host}\r\n");
        check(&server, get("/healthz", &line), &[400], Then::End);
        check(&server, upgrade(&line), &[400], Then::End);
    }
    check(&server, upgrade(""), &[400], Then::End);
    check(&server, upgrade("Host: a\r\nHost: a\r\n"), &[400], Then::End);
    for host in ["plimsoll.test", "plimsoll.test:9001", "127.0.0.1:9001", "[::1]:9001"] {
        check(&server, get("/healthz", &format!("Host: {host}\r\n")), &[200], Then::Open);
    }
    check(&server, "GET /healthz HTTP/1.0\r\n\r\n", &[200], Then::End);
    check(&server, "GET /healthz HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", &[400], Then::End);
    assert_eq!(server.counters().upgrades_total, 0);
}

#[test]
fn a_doubled_key_or_version_is_refused_with_400() {
    let server = Server::start();
    for doubled in [
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
        "Sec-WebSocket-Version: 8\r\n",
        "Sec-WebSocket-Version: 13\r\n",
    ] {
        check(&server, upgrade(&format!("{HOST}{doubled}")), &[400], Then::End);
    }
    assert_eq!(server.counters().upgrades_total, 0);
}

#[test]
fn an_upgrade_with_a_body_is_refused_with_400() {
    let server = Server::start();
    for (lines, body) in [
        ("Content-Length: 1000\r\n", "ten bytes."),
        ("Content-Length: 10\r\n", "ten bytes."),
        ("Content-Length: 1\r\n", ""),
        ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
        ("Content-Length: 10\r\nExpect: 100-continue\r\n", ""),
    ] {
        let sent = upgrade(&format!("{HOST}{lines}")) + body;
        check(&server, sent, &[400], Then::End);
    }
    assert_eq!(server.counters().upgrades_total, 0);
    check(&server, upgrade(&format!("{HOST}Content-Length: 0\r\n")), &[101], Then::Open);
}

#[test]
fn a_request_is_answered_though_its_peer_ends_its_side_behind_it() {
    let server = Server::start();
    for _ in 0..50 {
        let mut peer = Peer::connect(server.addr());
        peer.send(get("/healthz", HOST).as_bytes());
        peer.socket().shutdown(Shutdown::Write).expect("a connected socket can be shut down");
        assert_eq!(peer.response().status, 200);
        peer.ended_in_order();
    }
    let counters = server.until(|counters| counters.connections_open == 0);
    assert_eq!(counters.errors.iter().sum::<u64>(), 0);
}

#[test]
fn frames_and_an_end_behind_the_upgrade_are_answered() {
    let server = Server::start();
    for _ in 0..20 {
        let mut peer = Peer::connect(server.addr());
        let sent = [upgrade(HOST).as_bytes(), &frame(0x81, b"hi"), &frame(0x88, b"")].concat();
        peer.send(&sent);
        peer.socket().shutdown(Shutdown::Write).expect("a connected socket can be shut down");
        assert_eq!(peer.response().status, 101);
        assert_eq!(peer.frame(), (0x81, b"hi".to_vec()));
        assert_eq!(peer.frame(), (0x88, vec![]));
        peer.ended_in_order();
    }
}

#[test]
fn the_preface_of_http_2_is_refused_with_505() {
    let server = Server::start();
    check(&server, PREFACE, &[505], Then::End);
    let settings = "\0\0\0\x04\0\0\0\0\0";
    check(&server, format!("{PREFACE}{settings}"), &[505], Then::End);
    check(&server, get("/healthz", HOST) + PREFACE, &[200, 505], Then::End);
    assert_eq!(errors(&server.counters(), ErrorKind::Http), 3);
}

/// Far more than hyper reads before it refuses, but less than the server discards behind the refusal.
#[test]
fn an_answer_to_a_head_that_is_too_long_is_not_lost_to_a_reset() {
    let server = Server::start();
    for length in [20 * 1024, 60 * 1024, 200 * 1024] {
        for _ in 0..10 {
            let long = "x".repeat(length);
            check(
                &server,
                get("/healthz", &format!("{HOST}X-Long: {long}\r\n")),
                &[431],
                Then::End,
            );
            check(&server, get(&format!("/{long}"), HOST), &[431], Then::End);
        }
    }
    let counters = server.until(|counters| counters.connections_open == 0);
    assert_eq!(errors(&counters, ErrorKind::Http), 60);
}

#[test]
fn a_peer_that_still_sends_when_it_is_refused_is_not_reset() {
    let server = Server::start();
    let post = format!("POST /metrics HTTP/1.1\r\n{HOST}Content-Length: 1000000\r\n\r\n");
    let long = format!("GET /healthz HTTP/1.1\r\n{HOST}X-Long: ");
    let body = upgrade(&format!("{HOST}Content-Length: 1000000\r\n"));
    for (head, status) in [(post, 405), (long, 431), (body, 400)] {
        let mut peer = Peer::connect(server.addr());
        peer.send(head.as_bytes());
        for _ in 0..4 {
            peer.send(&[b'x'; 20 * 1024]);
            server.settle();
        }
        assert_eq!(peer.response().status, status, "{head}");
        peer.ended_in_order();
    }
}

#[test]
fn a_peer_that_never_ends_its_side_is_dropped_2_s_after_its_refusal() {
    let server = Server::start();
    let mut peer = Peer::connect(server.addr());
    peer.send(b"no request\r\n\r\n");
    assert_eq!(peer.response().status, 400);
    peer.ended_in_order();
    server.settle();
    server.until(|counters| counters.connections_open == 1);
    server.advance(std::time::Duration::from_secs(2));
    server.until(|counters| counters.connections_open == 0);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::start();
    let [health, echo] = [get("/healthz", HOST), upgrade(HOST)];
    check(&server, health.repeat(3), &[200, 200, 200], Then::Open);
    check(&server, format!("{health}{echo}"), &[200, 101], Then::Open);
    let last = request("GET /healthz HTTP/1.1", &["Connection: close"]);
    check(&server, format!("{last}{health}"), &[200], Then::End);
}
