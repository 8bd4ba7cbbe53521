//! Hosts, origins and the token, as a browser and as a program send them.

use std::net::{Ipv4Addr, SocketAddr};

use server::access::Token;
use server::stats::ErrorKind;
use server::{Access, Config, Error, LivePage};

use crate::support::{Peer, Response, Server, UPGRADE, client, errors, text};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

const FOREIGN: [&str; 6] = [
    "https://evil.example",
    "null",
    "http://localhost.evil.example",
    "http://evil-localhost",
    "http://localhost:3000",
    "https://evil.example@localhost",
];

/// The answer to a request for `path`, an upgrade on the WebSocket routes, with `headers` after the host.
fn ask(addr: SocketAddr, path: &str, host: &str, headers: &[&str]) -> Response {
    let mut head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n");
    let upgrade = if path.starts_with("/ws/") { &UPGRADE[..] } else { &["Connection: close"] };
    for header in upgrade.iter().chain(headers) {
        head.push_str(header);
        head.push_str("\r\n");
    }
    let mut peer = Peer::connect(addr);
    peer.send((head + "\r\n").as_bytes());
    peer.response()
}

fn with(access: Access) -> Server {
    Server::with(Config { access, ..Config::default() })
}

fn guarded() -> Access {
    Access { token: Some(Token::new(TOKEN).expect("it has 128 bits")), ..Access::default() }
}

fn live(access: Access) -> LivePage {
    LivePage::start((Ipv4Addr::LOCALHOST, 0).into(), &["p99"], access).expect("a port is free")
}

#[test]
fn a_foreign_origin_reads_neither_the_dashboard_nor_anything_else() {
    let (server, live) = (Server::start(), live(Access::default()));
    live.publish(&serde_json::json!({ "url": "ws://secret.example" }), None);
    for origin in FOREIGN {
        let origin = format!("Origin: {origin}");
        for path in ["/ws/dashboard", "/ws/echo", "/metrics", "/", "/page/main.js"] {
            assert_eq!(
                ask(server.addr(), path, "localhost", &[&origin]).status,
                403,
                "{path} {origin}"
            );
        }
        for path in ["/ws/dashboard", "/history", "/"] {
            let response = ask(live.addr(), path, "localhost", &[&origin]);
            assert_eq!(response.status, 403, "{path} {origin}");
            assert!(!response.body.contains("secret"), "{}", response.body);
        }
    }
    let counted = errors(&server.counters(), ErrorKind::Access);
    assert_eq!(counted, 5 * FOREIGN.len() as u64);
    assert_eq!(server.counters().upgrades_total, 0);
}

#[test]
fn a_rebound_host_is_refused_on_every_route_but_the_probes() {
    let (server, live) = (Server::start(), live(Access::default()));
    for host in ["rebound.evil.example", "localhost.evil.example:9001", "192.168.1.5"] {
        // The page of the rebound name is its own origin.
        let origin = format!("Origin: http://{host}");
        for headers in [&[][..], &[origin.as_str()]] {
            for path in ["/ws/dashboard", "/ws/echo", "/metrics", "/", "/page/main.js", "/nowhere"]
            {
                assert_eq!(ask(server.addr(), path, host, headers).status, 403, "{path} {host}");
            }
            for path in ["/ws/dashboard", "/history", "/"] {
                assert_eq!(ask(live.addr(), path, host, headers).status, 403, "{path} {host}");
            }
            for path in ["/healthz", "/readyz"] {
                assert_eq!(ask(server.addr(), path, host, headers).status, 200, "{path} {host}");
            }
        }
    }
}

#[test]
fn a_refusal_names_the_flag_and_the_connection_goes_on() {
    let server = Server::start();
    let mut peer = Peer::connect(server.addr());
    peer.send(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n\r\n");
    for flag in ["--allow-host", "--allow-origin"] {
        let response = peer.response();
        assert!(response.status == 403 && response.body.contains(flag), "{response:?}");
    }
    peer.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_eq!(peer.response().status, 200);
}

#[test]
fn the_own_page_connects_under_each_name_and_programs_without_an_origin() {
    let server = Server::start();
    let port = server.addr().port();
    for (host, origin) in [
        ("localhost", "http://localhost"),
        ("localhost", "http://127.0.0.1"),
        ("127.0.0.1", "http://127.0.0.1"),
        ("[::1]", "http://[::1]"),
    ] {
        let (host, origin) = (format!("{host}:{port}"), format!("Origin: {origin}:{port}"));
        assert_eq!(ask(server.addr(), "/ws/dashboard", &host, &[&origin]).status, 101, "{origin}");
        assert_eq!(ask(server.addr(), "/ws/echo", &host, &[]).status, 101);
    }
}

#[test]
fn allowed_origins_and_hosts_connect() {
    let server = with(Access {
        origins: vec!["https://plimsoll.example".parse().expect("an origin")],
        hosts: vec!["harbour.example".parse().expect("a host")],
        ..Access::default()
    });
    for (host, origin, status) in [
        ("plimsoll.example", "https://plimsoll.example", 101),
        ("localhost:9001", "https://plimsoll.example", 101),
        ("harbour.example", "https://harbour.example", 101),
        ("harbour.example", "https://plimsoll.example.evil.example", 403),
        ("plimsoll.example", "http://plimsoll.example", 403),
    ] {
        let origin = format!("Origin: {origin}");
        let response = ask(server.addr(), "/ws/dashboard", host, &[&origin]);
        assert_eq!(response.status, status, "{host} {origin}");
    }
}

#[test]
fn a_token_guards_sockets_and_numbers_and_neither_page_nor_probes() {
    let (server, live) = (with(guarded()), live(guarded()));
    let bearer = format!("Authorization: Bearer {TOKEN}");
    let wrong = format!("Authorization: Bearer {}", TOKEN.replace('0', "1"));
    for (addr, path, found) in [
        (server.addr(), "/ws/echo", 101),
        (server.addr(), "/ws/dashboard", 101),
        (server.addr(), "/metrics", 200),
        (live.addr(), "/ws/dashboard", 101),
        (live.addr(), "/history", 200),
    ] {
        for headers in [&[][..], &[wrong.as_str()], &["Authorization: Bearer"], &[&bearer, &bearer]]
        {
            let response = ask(addr, path, "localhost", headers);
            assert_eq!(response.status, 401, "{path} {headers:?}");
            assert_eq!(response.header("www-authenticate"), Some("Bearer"));
            assert!(response.body.contains("Authorization: Bearer TOKEN"), "{}", response.body);
        }
        assert_eq!(ask(addr, path, "localhost", &[&bearer]).status, found, "{path}");
        let in_url = format!("{path}?token={TOKEN}");
        assert_eq!(ask(addr, &in_url, "localhost", &[]).status, 401, "{path}");
        let foreign = ask(addr, path, "localhost", &[&bearer, "Origin: https://evil.example"]);
        assert_eq!(foreign.status, 403, "{path}");
    }
    for path in ["/", "/page/main.js", "/healthz", "/readyz"] {
        assert_eq!(ask(server.addr(), path, "localhost", &[]).status, 200, "{path}");
    }
}

#[test]
fn a_browser_offers_the_token_as_a_subprotocol_and_never_gets_it_back() {
    let server = with(guarded());
    let offer = format!("Sec-WebSocket-Protocol: plimsoll, bearer.{TOKEN}");
    let response = ask(server.addr(), "/ws/dashboard", "localhost", &[&offer]);
    assert_eq!(response.status, 101);
    assert_eq!(response.header("sec-websocket-protocol"), Some("plimsoll"));
    assert!(!format!("{response:?}").contains(TOKEN), "{response:?}");
    let wrong = "Sec-WebSocket-Protocol: plimsoll, bearer.0123";
    assert_eq!(ask(server.addr(), "/ws/dashboard", "localhost", &[wrong]).status, 401);
    // Without its own name a subprotocol is not selected, and none that was not offered.
    let unnamed = format!("Sec-WebSocket-Protocol: bearer.{TOKEN}");
    let response = ask(server.addr(), "/ws/echo", "localhost", &[&unnamed]);
    assert_eq!((response.status, response.header("sec-websocket-protocol")), (101, None));
}

#[test]
fn a_page_with_a_stored_token_connects_to_a_server_without_one() {
    let server = Server::start();
    let offer = format!("Sec-WebSocket-Protocol: plimsoll, bearer.{TOKEN}");
    let response = ask(server.addr(), "/ws/dashboard", "localhost", &[&offer]);
    assert_eq!(response.header("sec-websocket-protocol"), Some("plimsoll"));
}

#[test]
fn a_token_is_in_no_setting_no_number_and_no_snapshot() {
    let access = guarded();
    assert!(!format!("{:?}", Config { access, ..Config::default() }).contains(TOKEN));
    let server = with(guarded());
    let bearer = format!("Authorization: Bearer {TOKEN}");
    let metrics = ask(server.addr(), "/metrics", "localhost", &[&bearer]).body;
    assert!(metrics.contains("ws_errors") && !metrics.contains(TOKEN), "{metrics}");
    // A server without a token shows what the other one would.
    let snapshot = text(&mut client(Server::start().addr(), "/ws/dashboard"));
    assert!(snapshot.contains(r#""access":0"#), "{snapshot}");
}

#[test]
fn nothing_listens_beyond_loopback_without_origins_and_a_token() {
    let anywhere = (Ipv4Addr::UNSPECIFIED, 0).into();
    for access in [Access::default(), guarded()] {
        match LivePage::start(anywhere, &["p99"], access) {
            Err(error @ Error::Exposed { .. }) => {
                assert!(error.to_string().contains("--allow-origin"), "{error}");
            }
            other => panic!("expected a refusal, got {other:?}"),
        }
    }
    let insecure = Access { insecure: true, ..Access::default() };
    let page = LivePage::start(anywhere, &["p99"], insecure).expect("a port is free");
    let addr = (Ipv4Addr::LOCALHOST, page.addr().port()).into();
    // Its own address as a host, which the machine may have many of; a name could be rebound.
    assert_eq!(ask(addr, "/history", "192.168.1.5", &[]).status, 200);
    assert_eq!(ask(addr, "/history", "rebound.evil.example", &[]).status, 403);
}
