//! The points of a server for pages that open late.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Client, Server, assert_echoes, client, get, text};

/// Advances the clock by quarters of a second, one tick each, and waits for their snapshots.
fn pass(server: &Server, subscriber: &mut Client, ticks: u32) {
    for _ in 0..ticks {
        server.tick(1);
        text(subscriber);
    }
}

fn history(server: &Server) -> Value {
    let response = get(server.addr(), "/history");
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
    serde_json::from_str(&response.body).expect("a history is JSON")
}

#[test]
fn the_history_of_a_server_has_a_point_a_second_with_rates_over_it() {
    let server = Server::start();
    let mut subscriber = client(server.addr(), "/ws/dashboard");
    text(&mut subscriber);
    assert_eq!(history(&server)["time"], Value::Array(vec![]));
    let mut echo = client(server.addr(), "/ws/echo");
    for message in ["Freibord", "draught"] {
        assert_echoes(&mut echo, message);
    }
    server.until(|counters| counters.messages_out == 2);
    pass(&server, &mut subscriber, 9);
    let history = history(&server);
    let column = |name: &str| history[name].to_string();
    assert_eq!(column("run_id"), r#""""#);
    assert_eq!(column("time"), "[1.0,2.0]");
    assert_eq!((column("messages"), column("echo")), ("[2.0,0.0]".into(), "[1.0,1.0]".into()));
    assert_eq!(column("mbps"), "[0.00012,0.0]");
    // They took no time by the manual clock, and were handled in the first second.
    assert_eq!(column("p99"), "[0.0,null]");
}

#[test]
fn the_history_of_a_server_is_bounded_and_reaches_from_its_start_to_now() {
    let server = Server::start();
    let mut subscriber = client(server.addr(), "/ws/dashboard");
    text(&mut subscriber);
    for _ in 0..2000 {
        server.advance(Duration::from_secs(1));
        // A ping may come before the snapshot.
        while !subscriber.read().expect("the server is there").is_text() {}
    }
    let history = history(&server);
    let times = history["time"].as_array().expect("a column");
    assert!((450..=900).contains(&times.len()), "{} points", times.len());
    assert_eq!((&times[0], times.last()), (&1.0.into(), Some(&2000.0.into())));
    assert_eq!(history["open"].as_array().map(Vec::len), Some(times.len()));
}
