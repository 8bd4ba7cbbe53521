//! A subscriber that does not keep up is paused, then told how many snapshots it missed, and at last closed. No other
//! client waits for it.

use std::time::Duration;

use serde_json::Value;
use server::stats::{Counters, ErrorKind};
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use crate::support::{Client, Gates, Server, assert_echoes, client, closed, closes, errors, text};

/// Ticks after which a subscriber that reads nothing is paused: one snapshot is being written, ten are queued.
const UNTIL_PAUSED: u64 = 11;

/// Ticks in 10 s, the longest pause.
const TICKS_IN_PAUSE: u64 = 40;

/// `seq` and `skipped` of the next snapshot.
fn snapshot(client: &mut Client) -> (u64, u64) {
    let snapshot: Value = serde_json::from_str(&text(client)).expect("a snapshot is JSON");
    (snapshot["seq"].as_u64().expect("a number"), snapshot["skipped"].as_u64().expect("a number"))
}

/// A subscriber that got its first snapshot and now reads nothing.
struct Stalled {
    server: Server,
    gates: Gates,
    client: Client,
    seq: u64,
}

impl Stalled {
    fn new() -> Self {
        let (server, gates) = Server::gated();
        let mut client = client(server.addr(), "/ws/dashboard");
        assert_eq!(snapshot(&mut client), (1, 0));
        gates.of(client.get_ref()).shut();
        Self { server, gates, client, seq: 1 }
    }

    fn paused() -> Self {
        let mut stalled = Self::new();
        stalled.ticks(UNTIL_PAUSED);
        assert_eq!(stalled.counters().backpressure_events, 1);
        stalled
    }

    fn ticks(&mut self, ticks: u64) {
        for _ in 0..ticks {
            self.server.tick(1);
        }
        self.seq += ticks;
    }

    fn counters(&self) -> Counters {
        self.server.counters()
    }

    fn open(&self) {
        self.gates.of(self.client.get_ref()).open();
    }
}

#[test]
fn a_subscriber_below_the_high_watermark_misses_nothing() {
    let mut stalled = Stalled::new();
    stalled.ticks(UNTIL_PAUSED - 1);
    assert_eq!(stalled.counters().backpressure_events, 0);
    stalled.open();
    for seq in 2..=stalled.seq {
        assert_eq!(snapshot(&mut stalled.client), (seq, 0));
    }
    stalled.ticks(1);
    assert_eq!(snapshot(&mut stalled.client), (stalled.seq, 0));
    assert_eq!(stalled.counters().snapshots_skipped, 0);
}

#[test]
fn a_subscriber_at_the_high_watermark_is_paused() {
    let mut stalled = Stalled::paused();
    stalled.ticks(20);
    let counters = stalled.counters();
    assert_eq!((counters.backpressure_events, counters.dashboard_open), (1, 1));
    // The first, and the one being written.
    assert_eq!(counters.snapshots_sent, 2);
}

#[test]
fn a_subscriber_that_resumes_is_told_how_many_it_missed() {
    let mut stalled = Stalled::paused();
    let last_queued = stalled.seq;
    stalled.ticks(7);
    stalled.open();
    for seq in 2..=last_queued {
        assert_eq!(snapshot(&mut stalled.client), (seq, 0));
    }
    // The newest of the seven snapshots.
    assert_eq!(snapshot(&mut stalled.client), (stalled.seq, 6));
    stalled.ticks(1);
    assert_eq!(snapshot(&mut stalled.client), (stalled.seq, 0));
    let counters = stalled.counters();
    assert_eq!((counters.snapshots_skipped, counters.backpressure_events), (6, 1));
    assert_eq!(counters.snapshots_sent, stalled.seq - 6);
}

#[test]
fn a_subscriber_that_resumes_before_the_next_tick_missed_nothing() {
    let mut stalled = Stalled::paused();
    stalled.open();
    for seq in 2..=stalled.seq {
        assert_eq!(snapshot(&mut stalled.client), (seq, 0));
    }
    stalled.ticks(1);
    assert_eq!(snapshot(&mut stalled.client), (stalled.seq, 0));
}

#[test]
fn a_subscriber_can_be_paused_again() {
    let mut stalled = Stalled::paused();
    let (mut received, mut missed) = (1, 0);
    for round in 1..=3 {
        stalled.ticks(round);
        stalled.open();
        while received < stalled.seq {
            let (seq, skipped) = snapshot(&mut stalled.client);
            assert_eq!(seq, received + 1 + skipped);
            (received, missed) = (seq, missed + skipped);
        }
        stalled.server.settle();
        stalled.gates.of(stalled.client.get_ref()).shut();
        stalled.ticks(UNTIL_PAUSED);
        assert_eq!(stalled.counters().backpressure_events, round + 1);
    }
    assert_eq!((missed, stalled.counters().snapshots_skipped), (1 + 2, 1 + 2));
}

#[test]
fn a_pause_of_over_10_s_is_closed_with_1013() {
    let mut stalled = Stalled::paused();
    stalled.ticks(TICKS_IN_PAUSE);
    assert_eq!(errors(&stalled.counters(), ErrorKind::Slow), 0, "10 s is not over 10 s");
    stalled.ticks(1);
    let counters = stalled.counters();
    assert_eq!((errors(&counters, ErrorKind::Slow), closes(&counters, 1013)), (1, 1));
    stalled.open();
    // The snapshot that was being written when it stalled; the queued ones were dropped.
    assert_eq!(snapshot(&mut stalled.client), (2, 0));
    assert_eq!(closed(stalled.client), 1013);
    stalled.server.until(|counters| counters.connections_open == 0);
}

#[test]
fn a_slow_subscriber_that_does_not_take_the_close_frame_is_dropped() {
    let mut stalled = Stalled::paused();
    stalled.ticks(TICKS_IN_PAUSE + 1);
    assert_eq!(errors(&stalled.counters(), ErrorKind::Slow), 1);
    stalled.server.advance(Duration::from_secs(2));
    let counters = stalled.server.until(|counters| counters.dashboard_open == 0);
    assert_eq!(counters.errors.iter().sum::<u64>(), 1);
    stalled.client.read().expect_err("the connection is gone");
}

#[test]
fn a_slow_subscriber_delays_no_other_client() {
    let mut stalled = Stalled::new();
    let mut echo = client(stalled.server.addr(), "/ws/echo");
    let mut quick = client(stalled.server.addr(), "/ws/dashboard");
    assert_eq!(snapshot(&mut quick), (1, 0));
    for _ in 0..3 * UNTIL_PAUSED {
        stalled.server.tick(2);
        stalled.seq += 1;
        assert_eq!(snapshot(&mut quick), (stalled.seq, 0));
        assert_echoes(&mut echo, "undelayed");
    }
    assert_eq!(stalled.counters().backpressure_events, 1);
    assert_eq!(stalled.counters().snapshots_sent, stalled.seq + 2);
}

#[test]
fn a_paused_subscriber_is_still_heard() {
    let mut stalled = Stalled::paused();
    stalled.client.send(Message::Close(None)).expect("the server takes it");
    stalled.server.settle();
    stalled.open();
    while let Ok(message) = stalled.client.read() {
        assert!(message.is_text() || message.is_close(), "{message:?}");
    }
    let counters = stalled.server.until(|counters| counters.dashboard_open == 0);
    assert_eq!(closes(&counters, 1005), 1);
    assert_eq!(counters.errors.iter().sum::<u64>(), 0);
}

#[test]
fn an_echo_client_that_does_not_read_is_not_read_from() {
    let (server, gates) = Server::gated();
    let mut client = client(server.addr(), "/ws/echo");
    assert_echoes(&mut client, "before");
    server.until(|counters| counters.messages_out == 1);
    gates.of(client.get_ref()).shut();
    let mut sender = client.get_ref().try_clone().expect("a descriptor is free");
    sender.set_write_timeout(None).expect("a connected socket takes options");
    // More than the socket buffers hold: the sender finishes only after the server reads again.
    let messages = 600;
    let sending = std::thread::spawn(move || {
        let mut sender = WebSocket::from_raw_socket(
            &mut sender,
            tokio_tungstenite::tungstenite::protocol::Role::Client,
            None,
        );
        for i in 0..messages {
            let message = Message::binary(vec![i as u8; 32 * 1024]);
            sender.send(message).expect("the server takes it");
        }
    });
    server.settle();
    assert!(server.counters().messages_in < 1 + 16, "held: {:?}", server.counters());
    gates.of(client.get_ref()).open();
    for i in 0..messages {
        let answer = client.read().expect("the server answers");
        assert!(answer == Message::binary(vec![i as u8; 32 * 1024]), "message {i}");
    }
    sending.join().expect("the sender does not panic");
    let counters = server.until(|counters| counters.messages_out == messages + 1);
    assert_eq!(counters.messages_in, messages + 1);
}
