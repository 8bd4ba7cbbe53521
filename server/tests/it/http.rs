//! The plain routes, and the counters as OpenMetrics.

use std::collections::BTreeMap;

use server::stats::{CLOSE_CODES, Counters, ErrorKind};
use server::{Config, Context};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Peer, Server, assert_echoes, client, frame, get, request, text};

#[test]
fn every_plain_route_answers() {
    let server = Server::start();
    let routes = [
        ("/healthz", "text/plain; charset=utf-8"),
        ("/readyz", "text/plain; charset=utf-8"),
        ("/", "text/html; charset=utf-8"),
        ("/metrics", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ];
    for (path, content_type) in routes {
        let response = get(server.addr(), path);
        assert_eq!(response.status, 200, "{path}");
        assert_eq!(response.header("content-type"), Some(content_type), "{path}");
        assert_eq!(response.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[test]
fn plain_routes_take_get_and_head_only() {
    let server = Server::start();
    for path in ["/", "/healthz", "/readyz", "/metrics"] {
        let mut peer = Peer::connect(server.addr());
        peer.send(request(&format!("DELETE {path} HTTP/1.1"), &[]).as_bytes());
        let response = peer.response();
        assert_eq!((response.status, response.header("allow")), (405, Some("GET, HEAD")));
        peer.send(request(&format!("HEAD {path} HTTP/1.1"), &[]).as_bytes());
        assert_eq!(peer.head().status, 200);
    }
}

#[test]
fn accepted_sockets_have_nodelay() {
    let (send, accepted) = std::sync::mpsc::channel();
    let wrap = move |accepted: server::socket::Accepted| {
        send.send(rustix::net::sockopt::tcp_nodelay(&accepted)).expect("the test listens");
        accepted
    };
    let server = server::Embedded::start_wrapped(Config::default(), wrap)
        .expect("a port and a thread are free");
    let _echo = Peer::upgraded(server.addr(), "/ws/echo");
    let nodelay = accepted.recv().expect("the connection was accepted");
    assert!(nodelay.expect("a connected socket has options"));
}

#[test]
fn bytes_that_are_not_http_are_refused_with_400_and_counted() {
    let server = Server::start();
    let mut peer = Peer::connect(server.addr());
    peer.send(b"\x16\x03\x01 this is no request\r\n\r\n");
    assert_eq!(peer.response().status, 400);
    drop(peer);
    let counters = server.until(|counters| counters.connections_open == 0);
    assert_eq!(counters.errors[ErrorKind::Http as usize], 1);
}

#[tokio::test]
async fn a_refusal_that_is_taken_slowly_arrives_whole() {
    let context = Context::new(Config::default()).expect("the default can be served with");
    let (mut near, far) = tokio::io::duplex(16);
    let served = tokio::spawn(async move { server::serve_connection(far, &context).await });
    near.write_all(b"no request\r\n\r\n").await.expect("the server reads it");
    let mut answer = String::new();
    near.read_to_string(&mut answer).await.expect("the server ends the stream");
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("\r\n\r\n"), "{answer}");
    served.await.expect("serving does not panic");
}

#[test]
fn a_connection_that_ends_before_any_request_is_not_an_error() {
    let server = Server::start();
    drop(Peer::connect(server.addr()));
    server.settle();
    let counters = server.until(|counters| counters.connections_open == 0);
    assert_eq!(counters.connections_total, 2);
    assert_eq!(counters.errors.iter().sum::<u64>(), 0);
}

/// Every sample of an exposition, by name and labels.
fn samples(exposition: &str) -> BTreeMap<String, f64> {
    exposition
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name.to_owned(), value.parse().expect("a number"))
        })
        .collect()
}

/// The [`samples`] for `counters`, on a server with a manual clock, which says nothing of its process.
fn expected(counters: &Counters, limit: u64) -> BTreeMap<String, f64> {
    let kinds = ErrorKind::ALL.iter().zip(counters.errors);
    let codes = CLOSE_CODES.iter().zip(counters.closes);
    let labelled = kinds
        .map(|(kind, count)| (format!(r#"ws_errors_total{{kind="{}"}}"#, kind.name()), count))
        .chain(codes.map(|(code, count)| (format!(r#"ws_closes_total{{code="{code}"}}"#), count)));
    let plain = [
        ("uptime_seconds", 0),
        ("ws_connections_open", counters.connections_open),
        ("ws_connections_limit", limit),
        (r#"ws_sessions_open{route="echo"}"#, counters.echo_open),
        (r#"ws_sessions_open{route="dashboard"}"#, counters.dashboard_open),
        ("ws_connections_total", counters.connections_total),
        ("ws_connections_refused_total", counters.connections_refused),
        ("ws_upgrades_total", counters.upgrades_total),
        (r#"ws_messages_total{direction="in"}"#, counters.messages_in),
        (r#"ws_messages_total{direction="out"}"#, counters.messages_out),
        (r#"ws_payload_bytes_total{direction="in"}"#, counters.bytes_in),
        (r#"ws_payload_bytes_total{direction="out"}"#, counters.bytes_out),
        (r#"ws_snapshots_total{fate="sent"}"#, counters.snapshots_sent),
        (r#"ws_snapshots_total{fate="skipped"}"#, counters.snapshots_skipped),
        ("ws_backpressure_events_total", counters.backpressure_events),
        ("allocated_blocks_total", 0),
        ("allocated_bytes_total", 0),
        ("live_blocks", 0),
        ("live_bytes", 0),
    ];
    plain
        .map(|(name, count)| (name.to_owned(), count))
        .into_iter()
        .chain(labelled)
        .map(|(name, count)| (name, count as f64))
        .collect()
}

#[test]
fn metrics_are_openmetrics_and_agree_with_the_counters() {
    let limit = 7;
    let server = Server::with(Config { max_connections: 7, ..Config::default() });
    let mut echo = client(server.addr(), "/ws/echo");
    for message in ["one", "two", "three"] {
        assert_echoes(&mut echo, message);
    }
    let mut subscriber = client(server.addr(), "/ws/dashboard");
    text(&mut subscriber);
    let mut wrong = Peer::upgraded(server.addr(), "/ws/echo");
    wrong.send(&frame(0x83, b""));
    assert_eq!(wrong.close_code(), 1002);
    drop(wrong);
    server.until(|counters| counters.connections_open == 2 && counters.messages_out == 3);

    let mut scraper = Peer::connect(server.addr());
    scraper.send(request("GET /metrics HTTP/1.1", &[]).as_bytes());
    let exposition = scraper.response().body;
    let counters = server.counters();
    assert!(exposition.ends_with("\n# EOF\n"), "{exposition}");
    assert_eq!(samples(&exposition), expected(&counters, limit));
    assert_eq!((counters.connections_open, counters.messages_in, counters.bytes_in), (3, 3, 11));
    for line in exposition.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().expect("split yields something");
        let family = name.strip_suffix("_total").unwrap_or(name);
        let described = |what: &str| exposition.contains(&format!("# {what} {family} "));
        assert!(described("TYPE") && described("HELP"), "{line}");
    }
}
