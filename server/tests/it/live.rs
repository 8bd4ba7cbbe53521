//! The page with somebody else's numbers.

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::Value;
use server::live::{Errors, Load, State};
use server::snapshot::Snapshot;
use server::{Error, Live};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::support::{Peer, Response, client, closed, request, text};

fn live() -> Live {
    Live::start((Ipv4Addr::LOCALHOST, 0).into()).expect("a port and a thread are free")
}

fn load(elapsed_ns: u64) -> Load<'static> {
    Load {
        run_id: "1",
        profile: "smoke",
        url: "ws://127.0.0.1:9001/ws/echo",
        state: State::Running,
        reasons: &[],
        elapsed_ns,
        planned_ns: 5_000_000_000,
        stage: None,
        marks: vec![],
        judged: "rtt_intended",
        latency: None,
        thresholds: vec![],
        offered_per_s: None,
        achieved_per_s: f64::NAN,
        sent_mbps: 0.0,
        received_mbps: 0.0,
        open: 0,
        target: 0,
        errors: Errors::default(),
        backpressure_events: 0,
        lag_p99_ns: None,
        generator_cpu: 0.0,
    }
}

fn get(addr: SocketAddr, path: &str) -> Response {
    let mut peer = Peer::connect(addr);
    peer.send(request(&format!("GET {path} HTTP/1.1"), &["Connection: close"]).as_bytes());
    peer.response()
}

fn json(text: &Utf8Bytes) -> Value {
    serde_json::from_str(text).expect("a message is JSON")
}

#[test]
fn what_applies_is_served_and_nothing_else() {
    let live = live();
    for (path, status) in [("/", 200), ("/page/main.js", 200), ("/healthz", 200)] {
        assert_eq!(get(live.addr(), path).status, status, "{path}");
    }
    for path in ["/ws/echo", "/metrics", "/readyz"] {
        let response = get(live.addr(), path);
        assert_eq!(response.status, 404, "{path}");
        assert_eq!(response.body, "nothing here: try /, /ws/dashboard, /history, /healthz\n");
    }
    live.stop().expect("it ends in order");
}

#[test]
fn a_message_says_that_it_is_of_a_load_and_counts_from_1() {
    let live = live();
    for _ in 0..2 {
        live.publish(&load(7));
    }
    let text = text(&mut client(live.addr(), "/ws/dashboard"));
    assert!(text.starts_with(Snapshot::UNSKIPPED), "{text}");
    let message = json(&text);
    assert_eq!((&message["view"], &message["seq"]), (&"load".into(), &2.into()));
    assert_eq!((&message["state"], &message["elapsed_ns"]), (&"running".into(), &7.into()));
    // What is no number is null, not a broken message.
    assert!(message["achieved_per_s"].is_null() && message["latency"].is_null());
}

#[test]
fn nothing_comes_before_the_first_message() {
    let live = live();
    let mut subscriber = client(live.addr(), "/ws/dashboard");
    live.publish(&load(1));
    assert_eq!(json(&text(&mut subscriber))["seq"], 1);
}

#[test]
fn a_subscriber_is_told_what_it_missed() {
    let live = live();
    let mut subscriber = client(live.addr(), "/ws/dashboard");
    let mut seen = 0;
    for elapsed in 0..200 {
        live.publish(&load(elapsed));
    }
    while seen < 200 {
        let message = json(&text(&mut subscriber));
        let number = |key: &str| message[key].as_u64().expect("a number");
        assert!(seen == 0 || number("seq") == seen + 1 + number("skipped"), "{message}");
        seen = number("seq");
    }
}

#[test]
fn the_last_message_comes_before_the_goodbye() {
    let live = live();
    live.publish(&load(1));
    let mut subscriber = client(live.addr(), "/ws/dashboard");
    assert_eq!(json(&text(&mut subscriber))["seq"], 1);
    live.publish(&Load { state: State::Pass, ..load(2) });
    let stopping = std::thread::spawn(move || live.stop());
    assert_eq!(json(&text(&mut subscriber))["state"], "pass");
    assert_eq!(closed(subscriber), 1001);
    stopping.join().expect("no panic").expect("it ends in order");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let live = live();
    match Live::start(live.addr()) {
        Err(Error::Bind { addr, .. }) => assert_eq!(addr, live.addr()),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn history(live: &Live) -> Value {
    let response = get(live.addr(), "/history");
    assert_eq!(response.status, 200);
    serde_json::from_str(&response.body).expect("a history is JSON")
}

fn seconds(history: &Value) -> Vec<f64> {
    let times = history["time"].as_array().expect("a column");
    times.iter().map(|time| time.as_f64().expect("a number")).collect()
}

#[test]
fn who_comes_late_gets_the_run_so_far() {
    let live = live();
    for second in 1..=3 {
        let errors = Errors { total: 10 * second, ..Errors::default() };
        live.publish(&Load { open: second, errors, ..load(second * 1_000_000_000) });
    }
    // A verdict is no point of the run.
    live.publish(&Load { state: State::Pass, ..load(4_000_000_000) });
    let history = history(&live);
    assert_eq!((&history["run_id"], seconds(&history)), (&"1".into(), vec![1.0, 2.0, 3.0]));
    assert_eq!(history["open"], serde_json::json!([1.0, 2.0, 3.0]));
    assert_eq!(history["errors"], serde_json::json!([null, 10.0, 10.0]));
    assert_eq!(history["p99"], serde_json::json!([null, null, null]));
}

#[test]
fn a_new_run_has_no_history() {
    let live = live();
    live.publish(&load(1_000_000_000));
    live.publish(&Load { run_id: "2", ..load(1_000_000_000) });
    let history = history(&live);
    assert_eq!((&history["run_id"], seconds(&history).len()), (&"2".into(), 1));
}

#[test]
fn a_history_is_bounded_and_reaches_from_the_beginning_to_now() {
    let live = live();
    for second in 0..=5_000 {
        live.publish(&load(second * 1_000_000_000));
    }
    let times = seconds(&history(&live));
    assert!((450..=900).contains(&times.len()), "{} points", times.len());
    assert_eq!((times.first(), times.last()), (Some(&0.0), Some(&5_000.0)));
    assert!(times.is_sorted());
}
