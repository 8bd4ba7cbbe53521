//! One snapshot per tick, the same for all subscribers.

use serde_json::Value;
use server::Config;
use server::UNSKIPPED;
use server::stats::{CLOSE_CODES, ErrorKind};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, Server, assert_echoes, client, closed, text};

fn snapshot(client: &mut Client) -> Value {
    serde_json::from_str(&text(client)).expect("a snapshot is JSON")
}

fn seq(client: &mut Client) -> u64 {
    snapshot(client)["seq"].as_u64().expect("a number")
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn a_snapshot_has_the_documented_keys() {
    let server = Server::start();
    let text = text(&mut client(server.addr(), "/ws/dashboard"));
    assert!(text.starts_with(UNSKIPPED));
    let snapshot: Value = serde_json::from_str(&text).expect("a snapshot is JSON");
    let check = |object: &Value, expected: &[&str]| {
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(keys(object), expected);
    };
    let top = "skipped seq version uptime_ns connections messages throughput handling dashboard errors closes allocations process";
    check(&snapshot, &top.split(' ').collect::<Vec<_>>());
    let connections = ["open", "total", "refused", "limit", "echo", "dashboard"];
    check(&snapshot["connections"], &connections);
    check(&snapshot["messages"], &["received", "sent", "received_bytes", "sent_bytes"]);
    check(&snapshot["throughput"], &["messages_per_s", "received_mbps", "sent_mbps"]);
    check(&snapshot["handling"], &["total", "last"]);
    let times = ["count", "mean_ns", "min_ns", "p50_ns", "p95_ns", "p99_ns", "p999_ns", "max_ns"];
    check(&snapshot["handling"]["total"], &times);
    check(&snapshot["handling"]["last"], &times);
    check(&snapshot["dashboard"], &["sent", "skipped", "backpressure_events"]);
    check(&snapshot["errors"], &ErrorKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>());
    let codes = CLOSE_CODES.map(|code| code.to_string());
    check(&snapshot["closes"], &codes.each_ref().map(String::as_str));
    check(&snapshot["process"], &["resident_bytes", "cpu_ns", "open_fds"]);
    let heap =
        ["total_blocks", "total_bytes", "remaining_blocks", "remaining_bytes", "blocks_per_s"];
    check(&snapshot["allocations"], &heap);
    // The clock is manual.
    assert!(heap.iter().all(|name| snapshot["allocations"][name].as_f64() == Some(0.0)));
    assert!(snapshot["process"].as_object().expect("an object").values().all(Value::is_null));
}

#[test]
fn a_snapshot_agrees_with_the_counters() {
    let server = Server::with(Config { max_connections: 9, ..Config::default() });
    let mut echo = client(server.addr(), "/ws/echo");
    for message in ["Freibord", "draught"] {
        assert_echoes(&mut echo, message);
    }
    let mut subscriber = client(server.addr(), "/ws/dashboard");
    assert_eq!(snapshot(&mut subscriber)["messages"]["received"], 0);
    server.until(|counters| counters.messages_out == 2 && counters.connections_open == 2);

    server.tick(1);
    let snapshot = snapshot(&mut subscriber);
    assert_eq!(snapshot["uptime_ns"], 250_000_000);
    let connections = &snapshot["connections"];
    assert_eq!((&connections["echo"], &connections["dashboard"]), (&1.into(), &1.into()));
    assert_eq!(connections["limit"], 9);
    let messages = &snapshot["messages"];
    assert_eq!((&messages["received"], &messages["sent"]), (&2.into(), &2.into()));
    assert_eq!((&messages["received_bytes"], &messages["sent_bytes"]), (&15.into(), &15.into()));
    // Two messages and 15 bytes in a quarter of a second.
    let throughput = &snapshot["throughput"];
    assert_eq!(throughput["messages_per_s"], 8.0);
    assert_eq!(
        (&throughput["received_mbps"], &throughput["sent_mbps"]),
        (&0.00048.into(), &0.00048.into())
    );
    assert_eq!(snapshot["handling"]["last"]["count"], 2);
    assert_eq!(snapshot["handling"]["total"]["count"], 2);

    server.tick(1);
    let next = self::snapshot(&mut subscriber);
    assert_eq!(next["throughput"]["messages_per_s"], 0.0);
    assert_eq!(next["handling"]["last"]["count"], 0);
    assert_eq!(next["handling"]["total"]["count"], 2);
    assert_eq!(next["dashboard"]["sent"], 2);
}

#[test]
fn seq_increases_by_one_a_tick() {
    let server = Server::start();
    let mut subscriber = client(server.addr(), "/ws/dashboard");
    assert_eq!(seq(&mut subscriber), 1);
    for expected in 2..20 {
        server.tick(1);
        assert_eq!(seq(&mut subscriber), expected);
    }
}

#[test]
fn nothing_is_published_between_two_ticks() {
    let server = Server::start();
    let mut subscriber = client(server.addr(), "/ws/dashboard");
    assert_eq!(seq(&mut subscriber), 1);
    let tick = Config::default().tick;
    for expected in 2..6 {
        server.advance(tick / 2);
        assert_eq!(server.counters().snapshots_offered, expected - 1);
        server.advance(tick - tick / 2);
        assert_eq!(seq(&mut subscriber), expected);
    }
}

#[test]
fn a_late_hub_publishes_once() {
    let server = Server::start();
    let mut subscriber = client(server.addr(), "/ws/dashboard");
    assert_eq!(seq(&mut subscriber), 1);
    server.advance(Config::default().tick * 5 / 2);
    assert_eq!(seq(&mut subscriber), 2);
    assert_eq!(server.counters().snapshots_offered, 2);
    server.tick(1);
    assert_eq!(seq(&mut subscriber), 3);
}

#[test]
fn a_late_subscriber_gets_the_newest_snapshot_at_once() {
    let server = Server::start();
    let mut early = client(server.addr(), "/ws/dashboard");
    assert_eq!(seq(&mut early), 1);
    for _ in 0..6 {
        server.tick(1);
    }
    let mut late = client(server.addr(), "/ws/dashboard");
    let snapshot = snapshot(&mut late);
    assert_eq!((&snapshot["seq"], &snapshot["skipped"]), (&7.into(), &0.into()));
    server.tick(2);
    assert_eq!(seq(&mut late), 8);
}

#[test]
fn all_subscribers_get_the_same_bytes() {
    let server = Server::start();
    let mut subscribers: Vec<_> = (0..4).map(|_| client(server.addr(), "/ws/dashboard")).collect();
    for _ in 0..5 {
        let texts: Vec<_> = subscribers.iter_mut().map(text).collect();
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
        server.tick(4);
    }
}

#[test]
fn messages_of_a_subscriber_are_ignored() {
    let server = Server::start();
    let mut subscriber = client(server.addr(), "/ws/dashboard");
    assert_eq!(seq(&mut subscriber), 1);
    for message in [Message::text("subscribe"), Message::binary(vec![0; 4096])] {
        subscriber.send(message).expect("the server takes it");
    }
    server.tick(1);
    assert_eq!(seq(&mut subscriber), 2);
    assert_eq!(server.counters().messages_in, 0);
}

#[test]
fn a_subscriber_that_sends_more_than_4_kib_is_closed_with_1009() {
    let server = Server::start();
    let mut subscriber = client(server.addr(), "/ws/dashboard");
    assert_eq!(seq(&mut subscriber), 1);
    subscriber.send(Message::binary(vec![0; 4097])).expect("the server takes it");
    assert_eq!(closed(subscriber), 1009);
}
