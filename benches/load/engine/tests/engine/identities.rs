//! Every connection of a run has a number of its own, so that an answer to another connection's message is noticed.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use load_engine::testing::{Answer, Load, Peer, in_virtual_time};
use load_plan::model::Run;
use load_plan::outcome::Fault;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Profile, counts};

/// Text messages, in the order in which they came.
type Seen = Rc<RefCell<Vec<String>>>;

/// An echo, and the first message of each of its connections.
fn noting() -> (Peer, Seen) {
    let seen = Seen::default();
    let noted = Rc::clone(&seen);
    let peer = Peer::upgrading(move |mut socket, _| {
        let noted = Rc::clone(&noted);
        async move {
            let mut is_first = true;
            while let Some(message) = socket.next().await {
                let message = message?;
                let Message::Text(text) = &message else { continue };
                if std::mem::take(&mut is_first) {
                    noted.borrow_mut().push(text.to_string());
                }
                socket.send(message).await?;
            }
            Ok(())
        }
    });
    (peer, seen)
}

/// Checks that all of `seen` differ, and that there are at least `least`.
#[track_caller]
fn check_distinct(seen: &Seen, least: usize) {
    let mut seen = seen.take();
    let all = seen.len();
    assert!(all >= least, "{all}");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all);
}

#[test]
fn no_two_connections_of_all_workers_and_shards_send_the_same_message() {
    let (peer, seen) = noting();
    let profile = Profile {
        connections: 600,
        hold: "1s",
        pace: "{ open = { rate = 10 } }",
        traffic: "[conduct]\nlifetime = \"400ms\"",
        ..Profile::default()
    };
    for (index, workers) in [(0, 1), (1, 20), (2, 7)] {
        let load = profile.load().shard(index, 3).workers(workers);
        assert_eq!(counts(&load.run(&peer).expect("the peer is there")).errors(), 0);
    }
    check_distinct(&seen, 1200);
}

#[test]
fn a_slow_reader_sends_no_message_of_another_connection() {
    let seen = Seen::default();
    let noted = Rc::clone(&seen);
    let peer = Peer::upgrading(move |mut socket, _| {
        let noted = Rc::clone(&noted);
        async move {
            // Dropped after its first message, a slow reader comes back as a new connection.
            if let Some(Ok(Message::Binary(message))) = socket.next().await {
                noted.borrow_mut().push(String::from_utf8_lossy(&message).into_owned());
            }
            Ok(())
        }
    });
    let traffic = "[conduct]\nslow_readers = { connections = 4, bytes_per_s = 0 }";
    let profile =
        Profile { pace: "\"idle\"", connections: 1, hold: "3s", traffic, ..Profile::default() };
    for index in [0, 1] {
        profile.load().shard(index, 2).run(&peer).expect("the peer is there");
    }
    check_distinct(&seen, 8);
}

/// Runs `profile` for the connections 0 and 256 of 257, one in each of two shards, against a peer that answers each message
/// with the one before, which is the other connection's. Returns both runs.
fn crossed(profile: Profile<'_>, reply: fn(&str) -> String) -> [Run; 2] {
    let before = RefCell::new(None);
    let peer = Peer::answering(move |_, message, _| {
        let reply = reply(message.to_text().expect("it is text"));
        match before.replace(Some(reply)) {
            Some(before) => Answer::Wrong(vec![Message::text(before)]),
            None => Answer::Many(vec![]),
        }
    });
    let run = async |index| {
        let load: Load = profile.load().shard(index, 257).starts_in(Duration::from_secs(1));
        load.run_beside(&peer, &mut |_| {}).await.expect("the peer is there")
    };
    in_virtual_time(async { <[Run; 2]>::from(tokio::join!(run(0), run(256))) })
}

/// Checks that every answer of `crossed` is unexpected.
#[track_caller]
fn check_unexpected(runs: &[Run; 2]) {
    for run in runs {
        let all = counts(run);
        assert!(all.received > 90, "{}", all.received);
        assert_eq!(all.faulty(Fault::Unexpected), all.received);
    }
}

#[test]
fn an_answer_to_a_message_of_another_shard_is_unexpected() {
    let profile = Profile { connections: 257, ..Profile::default() };
    check_unexpected(&crossed(profile, str::to_owned));
}

#[test]
fn a_reply_to_a_request_of_another_connection_is_unexpected() {
    let target = "mode = { request = { send = '{\"id\":{seq}}', reply = '\"re\":{seq}}' } }";
    let profile = Profile { target, connections: 257, ..Profile::default() };
    check_unexpected(&crossed(profile, |request| request.replace("id", "re")));
}
