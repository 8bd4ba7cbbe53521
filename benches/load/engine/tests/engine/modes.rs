//! Peers that push messages, and peers that answer with the number of a message alone.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use load_engine::testing::{Answer, Peer, Pipe, UNIX_START};
use load_plan::metrics::Timing;
use load_plan::model::Run;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, interval};
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{
    Profile, check_sums, counts, endings, faults, is_chosen, is_hold, ticked, times,
};

/// Age of a pushed message when it is sent, by the time in it.
const AGE: Duration = Duration::from_secs(10);

/// Pushes 100 numbered messages per second, once it is asked for `topic`; at once if that is empty. Leaves out five of the
/// first fifty numbers.
fn pushing(topic: &'static str) -> Peer {
    // The first connection comes at the start of the run.
    let start = Rc::new(OnceCell::new());
    Peer::raw(move |pipe, counts| {
        let start = *start.get_or_init(Instant::now);
        async move {
            let mut socket = accept_async(pipe).await?;
            if !topic.is_empty() {
                if socket.next().await.transpose()? != Some(Message::text(topic)) {
                    while socket.next().await.is_some() {}
                    return Ok(());
                }
                counts.received.add(1);
            }
            let mut tick = interval(Duration::from_millis(10));
            let mut number = 1000;
            while ticked(&mut socket, &mut tick).await? {
                if number % 10 == 7 && number < 1050 {
                    counts.faults.add(1);
                    number += 1;
                }
                let at = (UNIX_START + start.elapsed() - AGE).as_millis();
                let text = format!(r#"{{"kind":"tick","head":{{"seq":{number},"at":{at}}}}}"#);
                // Nothing can be sent after a close frame has come.
                if socket.send(Message::text(text)).await.is_ok() {
                    counts.sent.add(1);
                }
                number += 1;
            }
            Ok(())
        }
    })
}

/// A subscription in `mode` to `peer`.
#[track_caller]
fn subscribe(peer: &Peer, mode: &str) -> Run {
    let target = &format!("mode = {{ subscribe = {mode} }}");
    let profile = Profile { target, pace: "\"idle\"", ..Profile::default() };
    let run = profile.load().run(peer).expect("the peer is there");
    check_sums(&run);
    assert_eq!(endings(&run), [("clean", 3)]);
    assert_eq!((counts(&run).received, counts(&run).sent), (peer.counts().sent.get(), 0));
    run
}

#[test]
fn skipped_updates_of_a_push_server_are_counted_by_their_numbers() {
    let peer = pushing("");
    let run = subscribe(&peer, "{ sequence = \"/head/seq\", time_ms = \"/head/at\" }");
    assert_eq!((peer.counts().faults.get(), counts(&run).missed_updates), (15, 15));
    assert!(faults(&run).is_empty(), "{:?}", faults(&run));
    let (aged, youngest, oldest) = times(&run, Timing::Staleness);
    assert!(aged > 290, "{aged}");
    // The time in a message has milliseconds.
    let age = AGE.as_nanos() as u64;
    assert!(youngest >= age && oldest <= age + 2_000_000, "{youngest} to {oldest}");
    let (gaps, shortest, longest) = times(&run, Timing::Gap);
    assert!(gaps > 290, "{gaps}");
    assert!(shortest >= 9_000_000 && longest <= 11_000_000, "{shortest} to {longest}");
}

/// The run of a subscription to a peer that pushes `texts` on each connection, and then is silent.
fn pushes(texts: &'static [&'static str]) -> Run {
    let peer = Peer::upgrading(move |mut socket, counts| async move {
        for text in texts {
            socket.send(Message::text(*text)).await?;
            counts.sent.add(1);
        }
        while socket.next().await.is_some() {}
        Ok(())
    });
    subscribe(&peer, "{ sequence = \"/seq\" }")
}

#[test]
fn a_number_that_is_pushed_again_or_too_late_is_a_fault() {
    let run =
        pushes(&[r#"{"seq":1}"#, r#"{"seq":2}"#, r#"{"seq":2}"#, r#"{"seq":1}"#, r#"{"seq":3}"#]);
    assert_eq!(faults(&run), [("duplicated", 3), ("reordered", 3)]);
}

#[test]
fn a_pushed_message_without_its_number_is_unexpected() {
    assert_eq!(faults(&pushes(&[r#"{"number":1}"#, "no JSON"])), [("unexpected", 6)]);
}

#[test]
fn a_pushed_message_without_a_time_or_of_the_future_has_an_unknown_age() {
    // In turn a minute ahead, a moment ahead, without a time, and a second old.
    let peer = Peer::upgrading(|mut socket, counts| async move {
        let start = Instant::now();
        let mut tick = interval(Duration::from_millis(100));
        for ahead_ms in [Some(60_000), Some(1), None, Some(-1_000)].into_iter().cycle() {
            if !ticked(&mut socket, &mut tick).await? {
                return Ok(());
            }
            let now_ms = (UNIX_START + start.elapsed()).as_millis() as i64;
            let text = match ahead_ms {
                Some(ahead_ms) => format!(r#"{{"at":{}}}"#, now_ms + ahead_ms),
                None => r#"{"event":"tide"}"#.to_owned(),
            };
            if socket.send(Message::text(text)).await.is_ok() {
                counts.sent.add(1);
            }
        }
        Ok(())
    });
    let run = subscribe(&peer, "{ time_ms = \"/at\" }");
    let ages = run.sum(is_hold).timing(Timing::Staleness).clone();
    assert!(ages.lost.abs_diff(ages.ended()) <= 3 && ages.lost >= 12, "{ages:?}");
    // The connection opens some milliseconds into the run.
    let (youngest_ms, oldest_ms) = (ages.min_ns / 1_000_000, ages.max_ns / 1_000_000);
    assert!(youngest_ms < 50 && (1_000..1_050).contains(&oldest_ms), "{ages:?}");
}

#[test]
fn a_subscription_asks_for_its_topic_once_per_connection() {
    let peer = pushing("subscribe ticks");
    let run = subscribe(&peer, "{ send = \"subscribe ticks\", sequence = \"/head/seq\" }");
    assert_eq!(peer.counts().received.get(), 3);
    assert_eq!(counts(&run).missed_updates, 15);
}

#[test]
fn a_subscription_without_messages_is_a_gap_that_never_ends() {
    let run = subscribe(&pushing("another topic"), "{ send = \"subscribe ticks\" }");
    let gaps = run.sum(is_hold).timing(Timing::Gap).clone();
    assert_eq!((counts(&run).received, gaps.count, gaps.lost), (0, 3, 3));
}

/// A frame of a server, shorter than 126 bytes.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&[first, payload.len() as u8], payload].concat()
}

/// Writes the answer to the upgrade with three messages and half of a fourth; then the other half, and a message in two
/// fragments with a ping between them. Reads a pong and a close frame.
async fn push_at_once(
    mut pipe: Pipe,
    counts: Rc<load_engine::testing::PeerCounts>,
) -> Result<(), Error> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(pipe.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head);
    // A request without a key asks for metrics.
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let Some(key) = key else { return Ok(()) };
    let upgrade = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    );
    let whole = frame(0x81, br#"{"seq":1}"#);
    let (start, end) = whole.split_at(5);
    pipe.write_all(&[upgrade.as_bytes(), &whole.repeat(3), start].concat()).await?;
    let fragments = [frame(0x01, br#"{"seq""#), frame(0x89, b"there?"), frame(0x80, b":1}")];
    pipe.write_all(&[end, &fragments.concat()].concat()).await?;
    counts.sent.add(5);
    // A pong with the payload of the ping: two bytes of header and four of mask.
    let mut pong = [0; 12];
    pipe.read_exact(&mut pong).await?;
    counts.received.add(u64::from(pong[0] == 0x8a));
    let mut close = [0; 8];
    pipe.read_exact(&mut close).await?;
    Ok(pipe.write_all(&frame(0x88, &[3, 232])).await?)
}

#[test]
fn messages_behind_the_upgrade_and_in_fragments_are_received() {
    let peer = Peer::raw(push_at_once);
    let run = subscribe(&peer, "{ sequence = \"/seq\" }");
    assert_eq!(counts(&run).received, 15);
    assert_eq!(peer.counts().received.get(), 3, "every ping has its pong");
}

/// Runs requests that `answer` answers, given the reply to a request.
#[track_caller]
fn request(
    fault: Option<&'static str>,
    answer: impl Fn(u64, Message, &mut Vec<Message>) -> Answer + 'static,
) {
    let peer = Peer::answering(move |n, message, held| {
        let text = message.to_text().expect("a request is text");
        let number =
            text.strip_prefix(r#"{"op":"echo","id":"#).and_then(|rest| rest.strip_suffix('}'));
        let number = number.expect("the request is that of the profile");
        answer(n, Message::text(format!(r#"{{"ok":true,"re":{number},"took":7}}"#)), held)
    });
    let target =
        r#"mode = { request = { send = '{"op":"echo","id":{seq}}', reply = '"re":{seq},' } }"#;
    let run = Profile { target, ..Profile::default() }.load().run(&peer);
    let run = run.expect("the peer is there");
    check_sums(&run);
    let expected: Vec<_> = fault.map(|fault| (fault, 15)).into_iter().collect();
    assert_eq!(faults(&run), expected);
    assert_eq!(counts(&run).sent, peer.counts().received.get());
    assert_eq!(counts(&run).received, peer.counts().sent.get());
}

#[test]
fn a_reply_is_recognised_by_its_number() {
    request(None, |_, reply, _| Answer::Right(reply));
}

#[test]
fn lost_repeated_and_swapped_replies_are_counted_like_those_of_an_echo() {
    request(
        Some("lost"),
        |n, reply, _| {
            if is_chosen(n) { Answer::Wrong(vec![]) } else { Answer::Right(reply) }
        },
    );
    request(Some("duplicated"), |n, reply, _| {
        if is_chosen(n) { Answer::Wrong(vec![reply.clone(), reply]) } else { Answer::Right(reply) }
    });
    request(Some("reordered"), |n, reply, held| {
        held.push(reply);
        if is_chosen(n) {
            Answer::Wrong(vec![])
        } else {
            Answer::Many(held.drain(..).rev().collect())
        }
    });
}

#[test]
fn a_reply_without_a_number_is_unexpected() {
    request(Some("unexpected"), |n, reply, _| {
        let news = Message::text(r#"{"event":"tide"}"#);
        if is_chosen(n) { Answer::Wrong(vec![news, reply]) } else { Answer::Right(reply) }
    });
}
