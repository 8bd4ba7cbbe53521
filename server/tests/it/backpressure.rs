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

/// A subscriber that got its first snapshot and now reads next to nothing.
struct Slow {
    server: Server,
    gates: Gates,
    client: Client,
    seq: u64,
}

impl Slow {
    fn new() -> Self {
        let (server, gates) = Server::gated();
        let mut client = client(server.addr(), "/ws/dashboard");
        assert_eq!(snapshot(&mut client), (1, 0));
        gates.of(client.get_ref()).shut();
        Self { server, gates, client, seq: 1 }
    }

    fn paused() -> Self {
        let mut slow = Self::new();
        slow.ticks(UNTIL_PAUSED);
        assert_eq!(slow.counters().backpressure_events, 1);
        slow
    }

    /// Time in which it takes a byte of what is being written at each tick: it is slow, and not stalled.
    fn ticks(&mut self, ticks: u64) {
        for _ in 0..ticks {
            self.gates.of(self.client.get_ref()).pass(1);
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
    let mut slow = Slow::new();
    slow.ticks(UNTIL_PAUSED - 1);
    assert_eq!(slow.counters().backpressure_events, 0);
    slow.open();
    for seq in 2..=slow.seq {
        assert_eq!(snapshot(&mut slow.client), (seq, 0));
    }
    slow.ticks(1);
    assert_eq!(snapshot(&mut slow.client), (slow.seq, 0));
    assert_eq!(slow.counters().snapshots_skipped, 0);
}

#[test]
fn a_subscriber_at_the_high_watermark_is_paused() {
    let mut slow = Slow::paused();
    slow.ticks(20);
    let counters = slow.counters();
    assert_eq!((counters.backpressure_events, counters.dashboard_open), (1, 1));
    // The first, and the one being written.
    assert_eq!(counters.snapshots_sent, 2);
}

#[test]
fn a_subscriber_that_resumes_is_told_how_many_it_missed() {
    let mut slow = Slow::paused();
    let last_queued = slow.seq;
    slow.ticks(7);
    slow.open();
    for seq in 2..=last_queued {
        assert_eq!(snapshot(&mut slow.client), (seq, 0));
    }
    // The newest of the seven snapshots.
    assert_eq!(snapshot(&mut slow.client), (slow.seq, 6));
    slow.ticks(1);
    assert_eq!(snapshot(&mut slow.client), (slow.seq, 0));
    let counters = slow.counters();
    assert_eq!((counters.snapshots_skipped, counters.backpressure_events), (6, 1));
    assert_eq!(counters.snapshots_sent, slow.seq - 6);
}

#[test]
fn a_subscriber_that_resumes_before_the_next_tick_missed_nothing() {
    let mut slow = Slow::paused();
    slow.open();
    for seq in 2..=slow.seq {
        assert_eq!(snapshot(&mut slow.client), (seq, 0));
    }
    slow.ticks(1);
    assert_eq!(snapshot(&mut slow.client), (slow.seq, 0));
}

#[test]
fn a_subscriber_can_be_paused_again() {
    let mut slow = Slow::paused();
    let (mut received, mut missed) = (1, 0);
    for round in 1..=3 {
        slow.ticks(round);
        slow.open();
        while received < slow.seq {
            let (seq, skipped) = snapshot(&mut slow.client);
            assert_eq!(seq, received + 1 + skipped);
            (received, missed) = (seq, missed + skipped);
        }
        slow.server.settle();
        slow.gates.of(slow.client.get_ref()).shut();
        slow.ticks(UNTIL_PAUSED);
        assert_eq!(slow.counters().backpressure_events, round + 1);
    }
    assert_eq!((missed, slow.counters().snapshots_skipped), (1 + 2, 1 + 2));
}

#[test]
fn a_pause_of_over_10_s_is_closed_with_1013() {
    let mut slow = Slow::paused();
    slow.ticks(TICKS_IN_PAUSE);
    assert_eq!(errors(&slow.counters(), ErrorKind::Slow), 0, "10 s is not over 10 s");
    slow.ticks(1);
    let counters = slow.counters();
    assert_eq!((errors(&counters, ErrorKind::Slow), closes(&counters, 1013)), (1, 1));
    slow.open();
    // The snapshot that was being written when it slow; the queued ones were dropped.
    assert_eq!(snapshot(&mut slow.client), (2, 0));
    assert_eq!(closed(slow.client), 1013);
    slow.server.until(|counters| counters.connections_open == 0);
}

#[test]
fn a_slow_subscriber_that_does_not_take_the_close_frame_is_dropped() {
    let mut slow = Slow::paused();
    slow.ticks(TICKS_IN_PAUSE + 1);
    assert_eq!(errors(&slow.counters(), ErrorKind::Slow), 1);
    slow.server.advance(Duration::from_secs(2));
    let counters = slow.server.until(|counters| counters.dashboard_open == 0);
    assert_eq!(counters.errors.iter().sum::<u64>(), 1);
    slow.client.read().expect_err("the connection is gone");
}

#[test]
fn a_slow_subscriber_delays_no_other_client() {
    let mut slow = Slow::new();
    let mut echo = client(slow.server.addr(), "/ws/echo");
    let mut quick = client(slow.server.addr(), "/ws/dashboard");
    assert_eq!(snapshot(&mut quick), (1, 0));
    for _ in 0..3 * UNTIL_PAUSED {
        slow.gates.of(slow.client.get_ref()).pass(1);
        slow.server.tick(2);
        slow.seq += 1;
        assert_eq!(snapshot(&mut quick), (slow.seq, 0));
        assert_echoes(&mut echo, "undelayed");
    }
    assert_eq!(slow.counters().backpressure_events, 1);
    assert_eq!(slow.counters().snapshots_sent, slow.seq + 2);
}

#[test]
fn a_paused_subscriber_is_still_heard() {
    let mut slow = Slow::paused();
    slow.client.send(Message::Close(None)).expect("the server takes it");
    slow.server.settle();
    slow.open();
    while let Ok(message) = slow.client.read() {
        assert!(message.is_text() || message.is_close(), "{message:?}");
    }
    let counters = slow.server.until(|counters| counters.dashboard_open == 0);
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
