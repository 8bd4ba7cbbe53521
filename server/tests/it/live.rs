//! The page with the numbers of another program.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use server::UNSKIPPED;
use server::live::Point;
use server::{Access, Error, LivePage};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::support::{client, closed, get, text};

const SERIES: &[&str] = &["open", "p99"];

fn live() -> LivePage {
    LivePage::start((Ipv4Addr::LOCALHOST, 0).into(), SERIES, Access::default())
        .expect("a port and a thread are free")
}

/// Publishes a message that is not a point of the history.
fn publish(live: &LivePage, message: &Value) {
    live.publish(message, None);
}

/// Publishes a point of the history with a value of `open` and none of `p99`.
fn record(live: &LivePage, run_id: &str, seconds: u32) {
    let values = [seconds as f32, f32::NAN];
    let point = Point { run_id, seconds: seconds.into(), values: &values };
    live.publish(&json!({ "elapsed": seconds }), Some(point));
}

fn parse(text: &Utf8Bytes) -> Value {
    serde_json::from_str(text).expect("a message is JSON")
}

#[test]
fn a_live_page_serves_the_page_and_neither_echo_nor_metrics() {
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
fn a_message_is_sent_as_it_serialises_behind_its_number() {
    #[derive(serde::Serialize)]
    struct Load {
        view: &'static str,
        rate: f64,
        latency: Option<u64>,
    }
    let live = live();
    for _ in 0..2 {
        live.publish(&Load { view: "load", rate: f64::NAN, latency: None }, None);
    }
    let text = text(&mut client(live.addr(), "/ws/dashboard"));
    assert!(text.starts_with(UNSKIPPED), "{text}");
    // JSON has no NaN.
    assert_eq!(text.as_str(), r#"{"skipped":0,"seq":2,"view":"load","rate":null,"latency":null}"#);
}

#[test]
fn a_subscriber_gets_nothing_before_the_first_message() {
    let live = live();
    let mut subscriber = client(live.addr(), "/ws/dashboard");
    publish(&live, &json!({}));
    assert_eq!(parse(&text(&mut subscriber))["seq"], 1);
}

#[test]
fn a_subscriber_is_told_how_many_messages_it_missed() {
    let live = live();
    let mut subscriber = client(live.addr(), "/ws/dashboard");
    let mut seen = 0;
    for elapsed in 0..200 {
        publish(&live, &json!({ "elapsed": elapsed }));
    }
    while seen < 200 {
        let message = parse(&text(&mut subscriber));
        let number = |key: &str| message[key].as_u64().expect("a number");
        assert!(seen == 0 || number("seq") == seen + 1 + number("skipped"), "{message}");
        seen = number("seq");
    }
}

#[test]
fn the_last_message_comes_before_the_close_frame() {
    let live = live();
    publish(&live, &json!({ "state": "running" }));
    let mut subscriber = client(live.addr(), "/ws/dashboard");
    assert_eq!(parse(&text(&mut subscriber))["seq"], 1);
    publish(&live, &json!({ "state": "pass" }));
    let stopping = std::thread::spawn(move || live.stop());
    assert_eq!(parse(&text(&mut subscriber))["state"], "pass");
    assert_eq!(closed(subscriber), 1001);
    stopping.join().expect("no panic").expect("it ends in order");
}

#[test]
fn a_taken_address_is_named_in_the_error() {
    let live = live();
    match LivePage::start(live.addr(), SERIES, Access::default()) {
        Err(Error::Bind { addr, .. }) => assert_eq!(addr, live.addr()),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn history(live: &LivePage) -> Value {
    let response = get(live.addr(), "/history");
    assert_eq!(response.status, 200);
    serde_json::from_str(&response.body).expect("a history is JSON")
}

fn seconds(history: &Value) -> Vec<f64> {
    let times = history["time"].as_array().expect("a column");
    times.iter().map(|time| time.as_f64().expect("a number")).collect()
}

#[test]
fn the_history_has_every_point_and_no_other_message() {
    let live = live();
    for second in 1..=3 {
        record(&live, "1", second);
    }
    publish(&live, &json!({ "state": "pass" }));
    let response = get(live.addr(), "/history");
    let expected =
        r#"{"run_id":"1","time":[1.0,2.0,3.0],"open":[1.0,2.0,3.0],"p99":[null,null,null]}"#;
    assert_eq!((response.status, response.body.as_str()), (200, expected));
}

#[test]
fn a_new_run_begins_a_new_history() {
    let live = live();
    record(&live, "1", 1);
    record(&live, "2", 1);
    let history = history(&live);
    assert_eq!((&history["run_id"], seconds(&history).len()), (&"2".into(), 1));
}

#[test]
fn a_history_is_bounded_and_reaches_from_the_first_point_to_the_newest() {
    let live = live();
    for second in 0..=5_000 {
        record(&live, "1", second);
    }
    let times = seconds(&history(&live));
    assert!((450..=900).contains(&times.len()), "{} points", times.len());
    assert_eq!((times.first(), times.last()), (Some(&0.0), Some(&5_000.0)));
    assert!(times.is_sorted());
}
