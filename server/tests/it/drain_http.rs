//! Shutdown as HTTP clients see it: a prober is told that the server is not ready for as long as the drain lasts, and the
//! drain waits only for requests that had begun.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::Shutdown;
use server::embedded::Stopped;
use server::stats::ErrorKind;
use server::{Config, Context, Error};

use crate::support::{Peer, Server, client, closed, errors, frame, get, pipelining, request};

/// A server in a drain that waits for the close frame of its only WebSocket.
struct Draining {
    addr: SocketAddr,
    session: Peer,
    stopping: std::thread::JoinHandle<Stopped>,
}

impl Draining {
    fn begin(server: Server) -> Self {
        let addr = server.addr();
        let mut session = Peer::upgraded(addr, "/ws/echo");
        let stopping = server.stopping();
        assert_eq!(session.close_code(), 1001);
        Self { addr, session, stopping }
    }

    /// The session answers its close frame, and nothing else holds up the end.
    fn end(mut self) -> Stopped {
        self.session.send(&frame(0x88, &1001_u16.to_be_bytes()));
        let stopped = self.stopping.join().expect("the server does not panic");
        assert_eq!((stopped.report.drained, stopped.report.dropped), (true, 0));
        assert_eq!(stopped.alive_tasks, 0);
        self.session.ended();
        stopped
    }
}

#[test]
fn a_prober_sees_503_from_readyz_for_as_long_as_the_drain_lasts() {
    let server = Server::start();
    let mut kept_alive = Peer::connect(server.addr());
    kept_alive.send(request("GET /readyz HTTP/1.1", &[]).as_bytes());
    assert_eq!(kept_alive.response().status, 200);
    let draining = Draining::begin(server);
    for _ in 0..3 {
        assert_eq!(get(draining.addr, "/readyz").status, 503);
        assert_eq!(get(draining.addr, "/healthz").status, 200);
    }
    kept_alive.send(request("GET /readyz HTTP/1.1", &[]).as_bytes());
    let last = kept_alive.response();
    assert_eq!((last.status, last.header("connection")), (503, Some("close")));
    kept_alive.ended();
    let stopped = draining.end();
    assert_eq!(stopped.report.counters.errors.iter().sum::<u64>(), 0);
}

#[test]
fn a_new_connection_is_not_upgraded_in_a_drain() {
    let draining = Draining::begin(Server::start());
    for path in ["/ws/echo", "/ws/dashboard"] {
        let mut late = Peer::connect(draining.addr);
        late.send(Peer::upgrade(path).as_bytes());
        let refusal = late.response();
        assert_eq!((refusal.status, refusal.header("retry-after")), (503, Some("1")));
        assert_eq!(refusal.header("connection"), Some("close"));
        late.ended();
    }
    draining.end();
}

#[test]
fn connections_that_came_in_the_drain_do_not_hold_it_up() {
    let draining = Draining::begin(Server::start());
    let mut mute = Peer::connect(draining.addr);
    let mut half = Peer::connect(draining.addr);
    half.send(b"GET /readyz HTTP/1.1\r\n");
    let _unread = pipelining(draining.addr);
    // The server has accepted them and read what they sent.
    assert_eq!(get(draining.addr, "/readyz").status, 503);
    draining.end();
    mute.ended();
    half.ended();
}

#[test]
fn a_request_that_had_begun_is_answered_though_nothing_else_is_open() {
    let server = Server::start();
    let mut asking = Peer::connect(server.addr());
    asking.send(b"GET /metrics HTTP/1.1\r\nHost: localh");
    server.settle();
    let addr = server.addr();
    let stopping = server.stopping();
    while get(addr, "/readyz").status != 503 {}
    asking.send(b"ost\r\n\r\n");
    assert_eq!(asking.response().status, 200);
    asking.ended();
    let report = stopping.join().expect("the server does not panic").report;
    assert_eq!((report.drained, report.dropped), (true, 0));
}

#[test]
fn a_request_that_had_begun_behind_an_answered_one_is_answered() {
    let server = Server::start();
    let mut asking = Peer::connect(server.addr());
    let both = request("GET /healthz HTTP/1.1", &[]) + "GET /metrics HTTP/1.1\r\nHost: localh";
    asking.send(both.as_bytes());
    assert_eq!(asking.response().status, 200);
    server.settle();
    let addr = server.addr();
    let stopping = server.stopping();
    while get(addr, "/readyz").status != 503 {}
    asking.send(b"ost\r\n\r\n");
    assert_eq!(asking.response().status, 200);
    asking.ended();
    let report = stopping.join().expect("the server does not panic").report;
    assert_eq!((report.drained, report.dropped), (true, 0));
}

#[test]
fn peers_that_do_not_read_their_answers_are_dropped_and_the_drain_ends_in_time() {
    const PEERS: u64 = 20;
    let server = Server::start();
    let peers: Vec<_> = (0..PEERS).map(|_| pipelining(server.addr())).collect();
    let session = client(server.addr(), "/ws/echo");
    server.until(|counters| counters.connections_open == PEERS + 1);
    server.settle();
    let clock = server.clock();
    let stopping = server.stopping();
    assert_eq!(closed(session), 1001);
    // Their answers wait since time 0. In one step: a clock that runs on would reach the end of the drain as well.
    clock.advance(Duration::from_secs(5));
    let report = stopping.join().expect("the server does not panic").report;
    assert_eq!((report.drained, report.dropped), (true, PEERS));
    assert_eq!(errors(&report.counters, ErrorKind::Stalled), PEERS);
    drop(peers);
}

#[test]
fn a_peer_that_sends_half_a_request_is_dropped_5_s_after_it_came() {
    let server = Server::start();
    let mut half = Peer::connect(server.addr());
    half.send(b"GET / HTTP/1.1\r\nHost: ");
    server.settle();
    let (addr, clock) = (server.addr(), server.clock());
    let stopping = server.stopping();
    while get(addr, "/readyz").status != 503 {}
    clock.advance(Duration::from_secs(5));
    half.ended();
    let report = stopping.join().expect("the server does not panic").report;
    assert_eq!((report.drained, report.dropped), (true, 1));
}

/// A server on a listener of the test, whose thread ends with its outcome.
struct Listening {
    listener: std::net::TcpListener,
    addr: SocketAddr,
    stop: Arc<tokio::sync::Notify>,
    serving: std::thread::JoinHandle<Result<server::Report, Error>>,
}

impl Listening {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        listener.set_nonblocking(true).expect("a socket takes options");
        let addr = listener.local_addr().expect("a bound socket has an address");
        let own = listener.try_clone().expect("a descriptor is free");
        let stop = Arc::new(tokio::sync::Notify::new());
        let stopped = Arc::clone(&stop);
        let serving = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let own = tokio::net::TcpListener::from_std(own)?;
                let context = Context::new(Config::default())?;
                server::serve_wrapped(own, context, stopped.notified(), |stream| stream).await
            })
        });
        Self { listener, addr, stop, serving }
    }

    /// The socket stops listening, for good.
    fn fail(&self) {
        rustix::net::shutdown(&self.listener, Shutdown::Read).expect("it listens");
    }
}

#[test]
fn a_listener_that_fails_drains_what_is_open() {
    let server = Listening::start();
    let session = client(server.addr, "/ws/echo");
    server.fail();
    assert_eq!(closed(session), 1001);
    let outcome = server.serving.join().expect("the server does not panic");
    assert!(matches!(outcome, Err(Error::Io(_))), "{outcome:?}");
}

#[test]
fn a_listener_that_fails_in_the_drain_does_not_cut_it_short() {
    let server = Listening::start();
    let mut session = Peer::upgraded(server.addr, "/ws/echo");
    let mut asking = Peer::connect(server.addr);
    asking.send(b"GET /readyz HTTP/1.1\r\n");
    assert_eq!(get(server.addr, "/healthz").status, 200);
    server.stop.notify_one();
    assert_eq!(session.close_code(), 1001);
    server.fail();
    asking.send(b"Host: localhost\r\n\r\n");
    assert_eq!(asking.response().status, 503);
    session.send(&frame(0x88, &1001_u16.to_be_bytes()));
    let report = server.serving.join().expect("the server does not panic");
    let report = report.expect("the drain had begun before");
    assert_eq!((report.drained, report.dropped), (true, 0));
}
