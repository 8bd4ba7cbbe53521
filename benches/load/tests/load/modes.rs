//! Servers that do not echo: those that push, and those that answer with the number alone.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::profile::Profile;
use crate::run::{Load, Outcome};
use crate::server::{Answer, Server, Tally};

/// How old the time in a pushed message is when it is sent.
const AGE: Duration = Duration::from_secs(10);

/// Pushes numbered messages, a hundred a second, as soon as it has been asked for `topic`, or at once if it is empty.
/// Five numbers of the first fifty are left out.
fn pushing(topic: &'static str) -> Server {
    Server::upgrading(move |mut socket, tally| async move {
        if !topic.is_empty() {
            let asked = socket.next().await.transpose()?;
            if asked != Some(Message::text(topic)) {
                while socket.next().await.is_some() {}
                return Ok(());
            }
            tally.received.add(1);
        }
        let mut tick = interval(Duration::from_millis(10));
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut number = 1000;
        loop {
            tokio::select! {
                biased;
                message = socket.next() => match message.transpose()? {
                    Some(_) => continue,
                    None => return Ok(()),
                },
                _ = tick.tick() => {}
            }
            if number % 10 == 7 && number < 1050 {
                tally.faults.add(1);
                number += 1;
            }
            let at = SystemTime::UNIX_EPOCH.elapsed().expect("it is later") - AGE;
            let at = at.as_millis();
            let text = format!(r#"{{"kind":"tick","head":{{"seq":{number},"at":{at}}}}}"#);
            // Once the peer has asked for the end, nothing more is sent.
            if socket.send(Message::text(text)).await.is_ok() {
                tally.sent.add(1);
            }
            number += 1;
        }
    })
}

#[track_caller]
fn subscribe(topic: &'static str, target: &str) -> (Outcome, Server) {
    let server = pushing(topic);
    let profile = Profile { target, pace: "\"idle\"", ..Profile::default() };
    let profile = Profile { thresholds: "errors = \"<= 0\"", ..profile };
    let outcome = Load::new(profile, &server.url()).run();
    outcome.adds_up();
    assert_eq!(outcome.endings().into_iter().collect::<Vec<_>>(), [("clean", 3)]);
    (outcome, server)
}

#[test]
fn updates_that_a_push_server_skips_are_counted_by_its_own_numbers() {
    let (outcome, server) = subscribe(
        "",
        "mode = { subscribe = { sequence = \"/head/seq\", time_ms = \"/head/at\" } }",
    );
    assert_eq!(server.tally().faults.get(), 15);
    assert_eq!(outcome.count("missed_updates"), 15, "{}", outcome.text);
    assert_eq!(outcome.count("received"), server.tally().sent.get());
    assert_eq!(outcome.count("sent"), 0);
    // Every message is ten seconds old, give or take the way here; none is younger.
    let age = AGE.as_nanos() as u64;
    assert!(outcome.number("timings/staleness/min_ns") >= age);
    assert!(outcome.number("timings/staleness/p50_ns") < 2 * age);
    assert!(outcome.number("timings/gap/count") + 3 <= outcome.count("received"));
}

/// What a server that pushes these numbers on each connection, and then is silent, is found at fault with.
fn pushes(texts: &'static [&'static str]) -> Outcome {
    let server = Server::upgrading(move |mut socket, tally| async move {
        for text in texts {
            socket.send(Message::text(*text)).await?;
            tally.sent.add(1);
        }
        while socket.next().await.is_some() {}
        Ok(())
    });
    let target = "mode = { subscribe = { sequence = \"/seq\" } }";
    let thresholds = "errors = \"<= 0\"\nmissed_updates = \"== 0\"";
    let profile = Profile { target, pace: "\"idle\"", thresholds, ..Profile::default() };
    let outcome = Load::new(profile, &server.url()).run();
    assert_eq!(outcome.count("received"), server.tally().sent.get(), "{}", outcome.text);
    outcome
}

#[test]
fn a_number_that_is_pushed_twice_or_too_late_is_a_fault() {
    let outcome =
        pushes(&[r#"{"seq":1}"#, r#"{"seq":2}"#, r#"{"seq":2}"#, r#"{"seq":1}"#, r#"{"seq":3}"#]);
    let faults: Vec<_> = outcome.faults().into_iter().collect();
    assert_eq!(faults, [("duplicated", 3), ("reordered", 3)], "{}", outcome.text);
    outcome.check(3, &[]);
}

#[test]
fn a_pushed_message_without_the_number_that_it_should_have_is_unexpected() {
    let outcome = pushes(&[r#"{"number":1}"#, "no JSON"]);
    let faults: Vec<_> = outcome.faults().into_iter().collect();
    assert_eq!(faults, [("unexpected", 6)], "{}", outcome.text);
    outcome.check(3, &[]);
}

#[test]
fn a_subscription_that_must_be_asked_for_is() {
    let (outcome, server) = subscribe(
        "subscribe ticks",
        "mode = { subscribe = { send = \"subscribe ticks\", sequence = \"/head/seq\" } }",
    );
    assert_eq!(server.tally().received.get(), 3);
    assert_eq!(outcome.count("received"), server.tally().sent.get());
    assert_eq!(outcome.count("missed_updates"), 15, "{}", outcome.text);
}

#[test]
fn a_subscription_that_hears_nothing_passes_no_limit() {
    let server = pushing("another topic");
    let target = "mode = { subscribe = { send = \"subscribe ticks\" } }";
    let profile = Profile { target, pace: "\"idle\"", ..Profile::default() };
    let profile = Profile { thresholds: "gap_p99 = \"< 30s\"", ..profile };
    let outcome = Load::new(profile, &server.url()).run();
    assert_ne!(outcome.code, Some(0), "{}", outcome.text);
}

/// A frame as a server sends it; shorter than 126 bytes.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, payload.len() as u8], payload].concat()
}

/// Sends the answer to the upgrade, three messages and the half of a fourth in one write; the other half in another, with a
/// message in two fragments with a ping between them. The answers it waits for are a pong and a close.
async fn push_at_once(mut stream: TcpStream, tally: Arc<Tally>) -> Result<(), Error> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    let name = "Sec-WebSocket-Key: ";
    // Who asks for no upgrade looks for metrics.
    let Some(key) = head.lines().find_map(|line| line.strip_prefix(name)) else { return Ok(()) };
    let upgrade = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    );
    let whole = frame(0x81, br#"{"seq":1}"#);
    let (start, end) = whole.split_at(5);
    let first = [upgrade.as_bytes(), &whole.repeat(3), start].concat();
    stream.write_all(&first).await?;
    let fragments = [frame(0x01, br#"{"seq""#), frame(0x89, b"there?"), frame(0x80, b":1}")];
    stream.write_all(&[end, &fragments.concat()].concat()).await?;
    tally.sent.add(5);
    // A pong with the ping's payload: two bytes of header and four of mask.
    let mut pong = [0; 12];
    stream.read_exact(&mut pong).await?;
    tally.received.add(u64::from(pong[0] == 0x8a));
    let mut close = [0; 8];
    stream.read_exact(&mut close).await?;
    stream.write_all(&frame(0x88, &[3, 232])).await?;
    Ok(())
}

#[test]
fn what_comes_with_the_answer_to_the_upgrade_and_what_comes_in_fragments_is_taken() {
    let server = Server::start(push_at_once);
    let target = "mode = { subscribe = { sequence = \"/seq\" } }";
    let profile = Profile { target, pace: "\"idle\"", ..Profile::default() };
    let profile = Profile { thresholds: "errors = \"<= 0\"", ..profile };
    let outcome = Load::new(profile, &server.url()).run();
    outcome.adds_up();
    assert_eq!(outcome.endings().into_iter().collect::<Vec<_>>(), [("clean", 3)]);
    assert_eq!(server.tally().sent.get(), 15);
    assert_eq!(outcome.count("received"), 15, "{}", outcome.text);
    assert_eq!(server.tally().received.get(), 3, "every ping has its pong");
}

/// Requests with a number, answered by `answer` with the number alone.
#[track_caller]
fn request(
    fault: Option<&str>,
    answer: impl Fn(u64, String, &mut Vec<Message>) -> Answer + Clone + Send + Sync + 'static,
) {
    let server = Server::answering(move |n, message, held| {
        let text = message.to_text().expect("it is text");
        let number =
            text.strip_prefix(r#"{"op":"echo","id":"#).and_then(|rest| rest.strip_suffix('}'));
        answer(n, format!(r#"{{"ok":true,"re":{},"took":7}}"#, number.expect("as asked for")), held)
    });
    let target =
        r#"mode = { request = { send = '{"op":"echo","id":{seq}}', reply = '"re":{seq},' } }"#;
    let timeout = if fault == Some("lost") { "3s" } else { "20s" };
    let outcome = Load::new(Profile { target, timeout, ..Profile::default() }, &server.url()).run();
    outcome.adds_up();
    let expected = fault.map(|fault| (fault, 15)).into_iter().collect();
    assert_eq!(outcome.faults(), expected, "{}", outcome.text);
    assert_eq!(outcome.count("sent"), server.tally().received.get());
    assert_eq!(outcome.count("received"), server.tally().sent.get());
    outcome.check(if fault.is_some() { 3 } else { 0 }, &[]);
}

const fn is_chosen(n: u64) -> bool {
    n % 10 == 5 && n < 50
}

#[test]
fn a_reply_is_known_by_its_number() {
    request(None, |_, reply, _| Answer::Right(Message::text(reply)));
}

#[test]
fn replies_that_are_lost_doubled_or_swapped_are_counted_like_echoes() {
    request(Some("lost"), |n, reply, _| {
        if is_chosen(n) { Answer::Wrong(vec![]) } else { Answer::Right(Message::text(reply)) }
    });
    request(Some("duplicated"), |n, reply, _| {
        let reply = Message::text(reply);
        if is_chosen(n) { Answer::Wrong(vec![reply.clone(), reply]) } else { Answer::Right(reply) }
    });
    request(Some("reordered"), |n, reply, held| {
        held.push(Message::text(reply));
        if is_chosen(n) {
            Answer::Wrong(vec![])
        } else {
            Answer::Many(held.drain(..).rev().collect())
        }
    });
}

#[test]
fn what_has_no_number_answers_nothing() {
    request(Some("unexpected"), |n, reply, _| {
        let news = Message::text(r#"{"event":"tide"}"#);
        let reply = Message::text(reply);
        if is_chosen(n) { Answer::Wrong(vec![news, reply]) } else { Answer::Right(reply) }
    });
}
