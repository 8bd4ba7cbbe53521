//! The opening handshake: which requests are upgraded, and how the others are refused.

use server::Config;

use crate::support::{Peer, Response, Server, assert_echoes, client, frame, request};

const CONNECTION: &str = "Connection: Upgrade";
const UPGRADE: &str = "Upgrade: websocket";
const VERSION: &str = "Sec-WebSocket-Version: 13";
const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

/// Sends a request; expects `status` and no session.
#[track_caller]
fn refusal(line: &str, headers: &[&str], status: u16) -> Response {
    let server = Server::start();
    let mut peer = Peer::connect(server.addr());
    peer.send(request(line, headers).as_bytes());
    let response = peer.response();
    assert_eq!(response.status, status, "{line} {headers:?}");
    assert!(!response.body.is_empty(), "a refusal says why");
    assert_eq!(server.counters().upgrades_total, 0);
    response
}

#[test]
fn the_accept_key_is_that_of_the_rfc() {
    let server = Server::start();
    let mut peer = Peer::connect(server.addr());
    peer.send(Peer::upgrade("/ws/echo").as_bytes());
    let response = peer.response();
    assert_eq!(response.status, 101);
    assert_eq!(response.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert!(response.header("upgrade").is_some_and(|to| to.eq_ignore_ascii_case("websocket")));
    assert!(response.header("connection").is_some_and(|to| to.eq_ignore_ascii_case("upgrade")));
    assert_eq!(response.header("sec-websocket-extensions"), None);
}

#[test]
fn upgrade_headers_are_found_in_any_case_and_among_other_tokens() {
    let server = Server::start();
    let headers = [
        "CONNECTION: keep-alive, UPGRADE",
        "uPGRADE: h2c, WebSocket",
        "SEC-websocket-VERSION: 13",
        KEY,
        "Sec-WebSocket-Extensions: permessage-deflate",
    ];
    let mut peer = Peer::connect(server.addr());
    peer.send(request("GET /ws/echo?from=here HTTP/1.1", &headers).as_bytes());
    assert_eq!(peer.response().status, 101);
    peer.send(&frame(0x81, b"through"));
    assert_eq!(peer.frame(), (0x81, b"through".to_vec()));
}

#[test]
fn another_method_is_refused_with_405_and_an_allow_header() {
    for method in ["POST", "HEAD", "PUT", "OPTIONS"] {
        let server = Server::start();
        let mut peer = Peer::connect(server.addr());
        let headers = [CONNECTION, UPGRADE, VERSION, KEY, "Connection: close"];
        peer.send(request(&format!("{method} /ws/echo HTTP/1.1"), &headers).as_bytes());
        let response = match method {
            "HEAD" => peer.head(),
            _ => peer.response(),
        };
        assert_eq!((response.status, response.header("allow")), (405, Some("GET")));
        assert_eq!(server.counters().upgrades_total, 0);
    }
}

#[test]
fn http_1_0_is_refused_with_400() {
    refusal("GET /ws/echo HTTP/1.0", &[CONNECTION, UPGRADE, VERSION, KEY], 400);
}

#[test]
fn a_request_without_upgrade_is_refused_with_426_and_the_version() {
    let incomplete: [&[&str]; 5] = [
        &[],
        &[CONNECTION, VERSION, KEY],
        &[UPGRADE, VERSION, KEY],
        &["Connection: keep-alive", UPGRADE, VERSION, KEY],
        &[CONNECTION, "Upgrade: h2c", VERSION, KEY],
    ];
    for headers in incomplete {
        let response = refusal("GET /ws/echo HTTP/1.1", headers, 426);
        assert_eq!(response.header("sec-websocket-version"), Some("13"));
        assert_eq!(response.header("upgrade"), Some("websocket"));
    }
}

#[test]
fn another_version_is_refused_with_426_and_the_supported_version() {
    for version in ["Sec-WebSocket-Version: 8", "Sec-WebSocket-Version: 14", "X-None: 13"] {
        let headers = [CONNECTION, UPGRADE, version, KEY];
        let response = refusal("GET /ws/dashboard HTTP/1.1", &headers, 426);
        assert_eq!(response.header("sec-websocket-version"), Some("13"));
    }
}

#[test]
fn a_key_that_is_not_16_bytes_in_base64_is_refused_with_400() {
    let keys = [
        "X-None: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Key:",
        "Sec-WebSocket-Key: c2hvcnQ=",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub2*jZQ==",
    ];
    for key in keys {
        refusal("GET /ws/echo HTTP/1.1", &[CONNECTION, UPGRADE, VERSION, key], 400);
    }
}

#[test]
fn an_unknown_path_is_refused_with_404() {
    for path in ["/ws", "/ws/", "/ws/echo/", "/ws/other", "/WS/ECHO"] {
        let line = format!("GET {path} HTTP/1.1");
        refusal(&line, &[CONNECTION, UPGRADE, VERSION, KEY], 404);
    }
}

#[test]
fn a_refused_client_may_try_again_on_the_same_connection() {
    let server = Server::start();
    let mut peer = Peer::connect(server.addr());
    peer.send(
        request("GET /ws/echo HTTP/1.1", &[CONNECTION, UPGRADE, "Sec-WebSocket-Version: 8", KEY])
            .as_bytes(),
    );
    assert_eq!(peer.response().status, 426);
    peer.send(Peer::upgrade("/ws/echo").as_bytes());
    assert_eq!(peer.response().status, 101);
    peer.send(&frame(0x81, b"again"));
    assert_eq!(peer.frame(), (0x81, b"again".to_vec()));
    let counters = server.counters();
    assert_eq!((counters.connections_total, counters.upgrades_total), (1, 1));
}

#[test]
fn over_the_limit_upgrades_are_refused_with_503_while_healthz_answers() {
    let server = Server::with(Config { max_connections: 2, ..Config::default() });
    let mut inside = [(); 2].map(|()| client(server.addr(), "/ws/echo"));
    for path in ["/ws/echo", "/ws/dashboard", "/"] {
        let mut peer = Peer::connect(server.addr());
        peer.send(Peer::upgrade(path).as_bytes());
        let response = peer.response();
        assert_eq!((response.status, response.header("retry-after")), (503, Some("1")));
        peer.ended();
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        let mut peer = Peer::connect(server.addr());
        peer.send(request(&format!("GET {path} HTTP/1.1"), &["Connection: close"]).as_bytes());
        assert_eq!(peer.response().status, 200);
        peer.ended();
    }
    assert_eq!(server.until(|counters| counters.connections_open == 2).connections_refused, 3);
    for client in &mut inside {
        assert_echoes(client, "undisturbed");
    }

    let [left, _stays] = inside;
    drop(left);
    server.until(|counters| counters.connections_open == 1);
    assert_echoes(&mut client(server.addr(), "/ws/echo"), "the place is free again");
}

#[test]
fn more_than_64_headers_are_refused_with_431() {
    let server = Server::start();
    let headers: Vec<_> = (0..65).map(|i| format!("X-Header-{i}: 1")).collect();
    let headers: Vec<_> = headers.iter().map(String::as_str).collect();
    // The Host header is one of the 64.
    for (extra, status) in [(63, 200), (64, 431)] {
        let mut peer = Peer::connect(server.addr());
        peer.send(request("GET /healthz HTTP/1.1", &headers[..extra]).as_bytes());
        assert_eq!(peer.response().status, status, "{extra} headers and a host");
    }
}

#[test]
fn a_head_over_16_kib_is_refused_with_431() {
    let server = Server::start();
    let mut peer = Peer::connect(server.addr());
    let long = format!("X-Long: {}", "x".repeat(20 * 1024));
    peer.send(request("GET /healthz HTTP/1.1", &[&long]).as_bytes());
    assert_eq!(peer.response().status, 431);
}
