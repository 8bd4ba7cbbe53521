//! The edges of HTTP/1.1, as tables of requests with the status that each is due. Every request is sent alone, on a
//! connection of its own, and the server then still serves.

use crate::support::{Peer, Response, Server, assert_echoes, client};

const HOST: &str = "Host: localhost\r\n";
const CONNECTION: &str = "Connection: Upgrade\r\n";
const TO_WEBSOCKET: &str = "Upgrade: websocket\r\n";
const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";
const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[track_caller]
fn check(table: &[(&str, u16)]) {
    let server = Server::start();
    for (sent, status) in table {
        assert_eq!(answer(&server, sent).status, *status, "{sent:?}");
    }
    assert_echoes(&mut client(server.addr(), "/ws/echo"), "still here");
}

fn answer(server: &Server, sent: &str) -> Response {
    let mut peer = Peer::connect(server.addr());
    peer.send(sent.as_bytes());
    match sent.starts_with("HEAD ") {
        true => peer.head(),
        false => peer.response(),
    }
}

/// [`check`] of `GET /healthz` with one header line or more.
#[track_caller]
fn check_lines(table: &[(&str, u16)]) {
    let whole = |lines: &str| format!("GET /healthz HTTP/1.1\r\n{HOST}{lines}\r\n");
    let whole: Vec<_> = table.iter().map(|(lines, status)| (whole(lines), *status)).collect();
    check(&whole.iter().map(|(sent, status)| (sent.as_str(), *status)).collect::<Vec<_>>());
}

/// [`check`] of a body's framing: the lines of the head, a blank line, and the body.
#[track_caller]
fn check_bodies(table: &[(&str, u16)]) {
    let whole = |rest: &str| format!("POST /healthz HTTP/1.1\r\n{HOST}{rest}");
    let whole: Vec<_> = table.iter().map(|(rest, status)| (whole(rest), *status)).collect();
    check(&whole.iter().map(|(sent, status)| (sent.as_str(), *status)).collect::<Vec<_>>());
}

/// [`check`] of `GET /ws/echo` with these header lines besides Host.
#[track_caller]
fn check_upgrades(table: &[(&[&str], u16)]) {
    let server = Server::start();
    for (lines, status) in table {
        let sent = format!("GET /ws/echo HTTP/1.1\r\n{HOST}{}\r\n", lines.concat());
        let answer = answer(&server, &sent);
        assert_eq!(answer.status, *status, "{sent:?}");
        let version = answer.header("sec-websocket-version");
        assert_eq!(version, (*status == 426).then_some("13"), "{sent:?}");
    }
}

#[test]
fn request_lines_are_held_to_the_grammar() {
    check(&[
        ("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        ("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        ("\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        ("GET /healthz HTTP/1.0\r\n\r\n", 200),
        ("GET /healthz?from=here HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        ("GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 200),
        ("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 403),
        ("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        ("GET /%2e%2e/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        ("GET /healthz/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        ("get /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        ("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        ("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n", 404),
        ("GET /healthz HTTP/1.2\r\nHost: localhost\r\n\r\n", 400),
        ("GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n", 400),
        ("GET /healthz HTTP/0.9\r\nHost: localhost\r\n\r\n", 400),
        ("GET /healthz http/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("GET /healthz\r\n\r\n", 400),
        ("GET  /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("GET /heal thz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("GET /\0 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("G\u{1}T / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        ("\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n", 400),
    ]);
}

#[test]
fn methods_other_than_get_and_head_are_refused_with_405() {
    let server = Server::start();
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        for (path, allowed) in [("/healthz", "GET, HEAD"), ("/", "GET, HEAD"), ("/ws/echo", "GET")]
        {
            let sent = format!("{method} {path} HTTP/1.1\r\n{HOST}\r\n");
            let answer = answer(&server, &sent);
            assert_eq!((answer.status, answer.header("allow")), (405, Some(allowed)), "{sent:?}");
        }
    }
}

#[test]
fn header_lines_are_held_to_the_grammar() {
    check_lines(&[
        ("X-One: 1\r\nX-One: 2\r\n", 200),
        ("X-Empty:\r\n", 200),
        ("X-Bytes: caf\u{e9}\r\n", 200),
        ("X-Fold: a\r\n b\r\n", 400),
        (" X-First: a\r\n", 400),
        ("X-Space : a\r\n", 400),
        ("X-Nul: a\0b\r\n", 400),
        ("X-Cr: a\rb\r\n", 400),
        ("No colon\r\n", 400),
        (": no name\r\n", 400),
        ("X(Name): a\r\n", 400),
    ]);
}

#[test]
fn a_body_whose_length_is_not_certain_is_refused_with_400() {
    check_bodies(&[
        ("Content-Length: 5\r\n\r\nhello", 405),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 405),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 405),
        ("Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
        ("Content-Length: -1\r\n\r\n", 400),
        ("Content-Length: +5\r\n\r\nhello", 400),
        ("Content-Length: 0x5\r\n\r\nhello", 400),
        ("Content-Length: 18446744073709551616\r\n\r\n", 400),
        ("Content-Length: 5, 5\r\n\r\nhello", 400),
        ("Transfer-Encoding: xchunked\r\n\r\n", 400),
        ("Transfer-Encoding: identity\r\n\r\n", 400),
        ("Transfer-Encoding: chunked, identity\r\n\r\n", 400),
    ]);
    check(&[("POST /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400)]);
}

#[test]
fn nothing_behind_a_request_of_two_lengths_is_served() {
    let server = Server::start();
    let mut peer = Peer::connect(server.addr());
    let smuggled = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let sent = format!(
        "POST /healthz HTTP/1.1\r\n{HOST}Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n\
         0\r\n\r\n{smuggled}",
        smuggled.len() + 5
    );
    peer.send(sent.as_bytes());
    assert_eq!(peer.response().status, 405);
    peer.ended_in_order();
}

#[test]
fn upgrades_need_every_header_in_its_form() {
    let padded = "Sec-WebSocket-Version:   13  \r\n";
    check_upgrades(&[
        (&[CONNECTION, TO_WEBSOCKET, VERSION, KEY], 101),
        (&["CONNECTION: upgrade\r\n", "UPGRADE: WebSocket\r\n", VERSION, KEY], 101),
        (&["Connection: keep-alive, Upgrade\r\n", TO_WEBSOCKET, VERSION, KEY], 101),
        (&["Connection: keep-alive\r\n", CONNECTION, TO_WEBSOCKET, VERSION, KEY], 101),
        (&[CONNECTION, "Upgrade: h2c, websocket\r\n", padded, KEY], 101),
        (&[CONNECTION, TO_WEBSOCKET, VERSION, KEY, "Content-Length: 0\r\n"], 101),
        (&[], 426),
        (&[CONNECTION, VERSION, KEY], 426),
        (&[TO_WEBSOCKET, VERSION, KEY], 426),
        (&["Connection: close\r\n", TO_WEBSOCKET, VERSION, KEY], 426),
        (&[CONNECTION, "Upgrade: h2c\r\n", VERSION, KEY], 426),
        (&[CONNECTION, "Upgrade: websockets\r\n", VERSION, KEY], 426),
        (&[CONNECTION, TO_WEBSOCKET, KEY], 426),
        (&[CONNECTION, TO_WEBSOCKET, "Sec-WebSocket-Version: 8\r\n", KEY], 426),
        (&[CONNECTION, TO_WEBSOCKET, "Sec-WebSocket-Version: 13, 8\r\n", KEY], 426),
        (&[CONNECTION, TO_WEBSOCKET, "Sec-WebSocket-Version: 013\r\n", KEY], 426),
        (&[CONNECTION, TO_WEBSOCKET, VERSION], 400),
        (&[CONNECTION, TO_WEBSOCKET, VERSION, "Sec-WebSocket-Key:\r\n"], 400),
        (&[CONNECTION, TO_WEBSOCKET, VERSION, "Sec-WebSocket-Key: c2hvcnQ=\r\n"], 400),
        (&[CONNECTION, TO_WEBSOCKET, VERSION, KEY, KEY], 400),
        (&[CONNECTION, TO_WEBSOCKET, VERSION, VERSION, KEY], 400),
        (&[CONNECTION, TO_WEBSOCKET, VERSION, KEY, "Content-Length: 1\r\n"], 400),
    ]);
}
