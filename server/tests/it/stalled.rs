//! A peer that takes nothing of what is written to it for 5 s is dropped, as back-pressure.

use std::io::Read;
use std::time::Duration;

use server::Config;
use server::stats::ErrorKind;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, Gates, Peer, Server, assert_echoes, client, closed, errors, request};

const INSTANT: Duration = Duration::from_nanos(1);
const TAKE_WITHIN: Duration = Duration::from_secs(5);
const PING_AFTER: Duration = Duration::from_secs(25);
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// A client to which the server has begun to write, and that takes nothing.
struct Stalled {
    server: Server,
    gates: Gates,
    client: Client,
}

impl Stalled {
    fn on(path: &str) -> Self {
        Self::with(Config::default(), path)
    }

    fn with(config: Config, path: &str) -> Self {
        let (server, gates) = Server::gated_with(config);
        let mut client = client(server.addr(), path);
        if path == "/ws/dashboard" {
            assert!(client.read().expect("a snapshot").is_text());
        } else {
            assert_echoes(&mut client, "before");
        }
        gates.of(client.get_ref()).shut();
        if path == "/ws/dashboard" {
            server.tick(1);
        } else {
            client.send(Message::text("stuck")).expect("the server takes it");
            server.settle();
        }
        Self { server, gates, client }
    }

    /// Takes one byte, at this moment of the clock.
    fn takes_a_byte(&mut self) {
        self.gates.of(self.client.get_ref()).pass(1);
        let taken = self.client.get_mut().read_exact(&mut [0]);
        taken.expect("the server writes it");
    }

    #[track_caller]
    fn assert_dropped(mut self) {
        let counters = self.server.until(|counters| counters.connections_open == 0);
        assert_eq!(errors(&counters, ErrorKind::Stalled), 1);
        assert_eq!(counters.errors.iter().sum::<u64>(), 1);
        // No close frame: it would not take it either.
        assert_eq!(counters.closes.iter().sum::<u64>(), 0);
        self.client.read().expect_err("the connection is gone");
    }

    #[track_caller]
    fn assert_kept(&self) {
        let counters = self.server.counters();
        assert_eq!(counters.echo_open + counters.dashboard_open, 1);
        assert_eq!(counters.errors.iter().sum::<u64>(), 0);
    }
}

#[test]
fn a_stalled_client_is_dropped_after_5_s() {
    for path in ["/ws/echo", "/ws/dashboard"] {
        let stalled = Stalled::on(path);
        stalled.server.advance(TAKE_WITHIN - INSTANT);
        stalled.assert_kept();
        stalled.server.advance(INSTANT);
        stalled.assert_dropped();
    }
}

#[test]
fn a_stalled_client_is_a_back_pressure_event() {
    let stalled = Stalled::on("/ws/echo");
    assert_eq!(stalled.server.counters().backpressure_events, 0);
    stalled.server.advance(TAKE_WITHIN);
    let counters = stalled.server.until(|counters| counters.connections_open == 0);
    assert_eq!(counters.backpressure_events, 1);
}

#[test]
fn a_client_that_takes_a_byte_in_5_s_is_kept() {
    let mut stalled = Stalled::on("/ws/echo");
    for _ in 0..3 {
        stalled.server.advance(TAKE_WITHIN - INSTANT);
        stalled.takes_a_byte();
        // The server has found that it takes no second byte, before time goes on.
        stalled.server.settle();
    }
    stalled.assert_kept();
    stalled.server.advance(TAKE_WITHIN - INSTANT);
    stalled.assert_kept();
    stalled.server.advance(INSTANT);
    stalled.assert_dropped();
}

#[test]
fn a_client_that_was_stalled_is_served_on() {
    let mut stalled = Stalled::on("/ws/echo");
    stalled.server.advance(TAKE_WITHIN - INSTANT);
    stalled.gates.of(stalled.client.get_ref()).open();
    assert_eq!(stalled.client.read().expect("the server answers"), Message::text("stuck"));
    stalled.server.advance(TAKE_WITHIN);
    assert_echoes(&mut stalled.client, "after");
    // The timer of the stall is the timer of silence again.
    stalled.server.settle();
    stalled.server.advance(PING_AFTER - INSTANT);
    stalled.assert_kept();
    stalled.server.advance(INSTANT);
    assert!(stalled.client.read().expect("the server pings").is_ping());
}

#[test]
fn writes_that_wait_make_no_timer_each() {
    // Without ticks, every new timer is a connection's.
    let tick = Duration::from_secs(u32::MAX.into());
    let mut stalled = Stalled::with(Config { tick, ..Config::default() }, "/ws/echo");
    let clock = stalled.server.clock();
    // More than the longest frame's header: the client takes a byte with each write, for eight seconds.
    let message = Message::text("m".repeat(100));
    stalled.client.send(message).expect("the server takes it");
    let made = clock.timers().made;
    for _ in 0..80 {
        clock.advance(Duration::from_millis(100));
        stalled.takes_a_byte();
    }
    stalled.server.settle();
    stalled.assert_kept();
    let of_settling = 2;
    let now = stalled.server.clock().timers();
    assert!(now.made <= made + 1 + of_settling, "{now:?}, not {made} and a few");
}

#[test]
fn a_drain_does_not_wait_5_s_for_a_stalled_client() {
    let Stalled { server, client: mut stuck, .. } = Stalled::on("/ws/echo");
    let other = client(server.addr(), "/ws/echo");
    let request = request("GET /readyz HTTP/1.1", &[]);
    let (half, rest) = request.split_at(request.len() - 1);
    let mut witness = Peer::connect(server.addr());
    witness.send(half.as_bytes());
    server.settle();
    let clock = server.clock();
    let stopping = server.stopping();
    assert_eq!(closed(other), 1001);
    // The server has only one thread: once it answers, the two seconds of the stalled client have begun.
    witness.send(rest.as_bytes());
    assert_eq!(witness.response().status, 503);
    clock.advance(CLOSE_WITHIN);
    let stopped = stopping.join().expect("the server does not panic");
    assert!(stopped.report.drained, "every connection ended within the drain");
    assert_eq!(errors(&stopped.report.counters, ErrorKind::Stalled), 0);
    stuck.read().expect_err("the connection is gone");
}
