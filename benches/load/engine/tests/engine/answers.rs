//! Every message that a peer answers wrongly is one fault of the right kind.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use futures::SinkExt;
use futures::StreamExt;
use load_engine::testing::{Answer, Peer};
use load_plan::model::Run;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Profile, check_sums, counts, endings, faults, is_chosen};

/// An open loop, and a closed one with several unanswered messages, with the length of a hold.
const PACES: [(&str, &str); 2] =
    [("{ open = { rate = 100 } }", "1s"), ("{ closed = { depth = 8 } }", "100ms")];

/// The message with one byte changed. Text stays UTF-8, because only the lowest bit of a letter changes.
fn flipped(message: &Message, byte: usize) -> Message {
    let mut bytes = message.clone().into_data().to_vec();
    if message.is_text() {
        bytes[byte] ^= 1;
        Message::text(String::from_utf8(bytes).expect("the text is ASCII"))
    } else {
        bytes[byte] ^= 0xff;
        Message::binary(bytes)
    }
}

/// Compares what was counted with what the peer did.
#[track_caller]
fn check_run(run: &Run, peer: &Peer, fault: Option<&'static str>) {
    check_sums(run);
    let done = peer.counts().faults.get();
    let expected: Vec<_> = fault.map(|fault| (fault, done)).into_iter().collect();
    assert_eq!(faults(run), expected);
    assert_eq!(endings(run), [("clean", 3)]);
    let all = counts(run);
    assert_eq!(all.sent, peer.counts().received.get());
    assert_eq!(all.received, peer.counts().sent.get());
    assert_eq!(all.attempted + run.before.attempted + 1, peer.counts().accepted.get());
}

/// Runs both loops against a peer that answers `per_connection` messages of each connection wrongly.
#[track_caller]
fn check<A>(fault: &'static str, per_connection: u64, traffic: &str, answer: A)
where
    A: Fn(u64, Message, &mut Vec<Message>) -> Answer + Clone + 'static,
{
    for (pace, hold) in PACES {
        let peer = Peer::answering(answer.clone());
        let run = Profile { pace, hold, traffic, ..Profile::default() }.load().run(&peer);
        assert_eq!(peer.counts().faults.get(), 3 * per_connection, "{pace}");
        check_run(&run.expect("the peer is there"), &peer, Some(fault));
    }
}

#[test]
fn an_echo_has_no_faults() {
    for (kind, fragments) in [("text", 1), ("binary", 1), ("text", 3)] {
        let peer = Peer::echo();
        let traffic = &format!("kind = \"{kind}\"\nfragments = {fragments}");
        let run = Profile { traffic, ..Profile::default() }.load().run(&peer);
        check_run(&run.expect("the peer is there"), &peer, None);
    }
}

#[test]
fn a_dropped_message_is_lost() {
    check(
        "lost",
        5,
        "",
        |n, message, _| {
            if is_chosen(n) { Answer::Wrong(vec![]) } else { Answer::Right(message) }
        },
    );
}

#[test]
fn a_message_answered_twice_is_duplicated() {
    check("duplicated", 5, "", |n, message, _| {
        if is_chosen(n) {
            Answer::Wrong(vec![message.clone(), message])
        } else {
            Answer::Right(message)
        }
    });
}

#[test]
fn a_message_answered_again_much_later_is_duplicated() {
    check("duplicated", 5, "", |n, message, held| {
        if is_chosen(n) {
            held.push(message.clone());
        }
        match held.pop_if(|_| n.checked_sub(4).is_some_and(is_chosen)) {
            Some(again) => Answer::Wrong(vec![again, message]),
            None => Answer::Right(message),
        }
    });
}

#[test]
fn swapped_answers_are_one_reordered_message() {
    check("reordered", 5, "", |n, message, held| {
        if is_chosen(n) {
            held.push(message);
            return Answer::Wrong(vec![]);
        }
        Answer::Many([Some(message), held.pop()].into_iter().flatten().collect())
    });
}

#[test]
fn an_answer_overtaken_by_three_others_is_one_reordered_message() {
    check("reordered", 5, "", |n, message, held| {
        if is_chosen(n) {
            held.push(message);
            return Answer::Wrong(vec![]);
        }
        let late = held.pop_if(|_| n.checked_sub(3).is_some_and(is_chosen));
        Answer::Many([Some(message), late].into_iter().flatten().collect())
    });
}

#[test]
fn a_changed_byte_is_corruption_at_any_position() {
    for kind in ["text", "binary"] {
        // The nth byte of the nth message changes, those of its number included.
        check(
            "corrupted",
            64,
            &format!("kind = \"{kind}\""),
            |n, message, _| match usize::try_from(n) {
                Ok(byte) if byte < message.len() => Answer::Wrong(vec![flipped(&message, byte)]),
                _ => Answer::Right(message),
            },
        );
    }
}

#[test]
fn a_changed_byte_of_a_large_message_is_corruption_at_any_position() {
    let sizes = "sizes = [{ bytes = 16 }, { bytes = \"20 KiB\" }]";
    check("corrupted", 5, sizes, |n, message, _| {
        let last = message.len() - 1;
        match n {
            _ if !is_chosen(n) => Answer::Right(message),
            5 => Answer::Wrong(vec![flipped(&message, 0)]),
            15 => Answer::Wrong(vec![flipped(&message, last)]),
            25 => Answer::Wrong(vec![flipped(&message, last / 2)]),
            _ => Answer::Wrong(vec![flipped(&message, last / 3)]),
        }
    });
}

#[test]
fn an_answer_of_another_length_is_corrupted() {
    check("corrupted", 5, "kind = \"binary\"", |n, message, _| {
        let mut bytes = message.clone().into_data().to_vec();
        match n {
            _ if !is_chosen(n) => return Answer::Right(message),
            5 | 15 => drop(bytes.pop()),
            _ => bytes.push(0),
        }
        Answer::Wrong(vec![Message::binary(bytes)])
    });
}

#[test]
fn text_answered_as_binary_is_corrupted() {
    check("corrupted", 5, "", |n, message, _| {
        if is_chosen(n) {
            Answer::Wrong(vec![Message::binary(message.into_data())])
        } else {
            Answer::Right(message)
        }
    });
}

#[test]
fn a_message_that_answers_none_is_unexpected() {
    check("unexpected", 5, "", |n, message, _| {
        if is_chosen(n) {
            Answer::Wrong(vec![Message::text("news without a number"), message])
        } else {
            Answer::Right(message)
        }
    });
}

#[test]
fn an_answer_to_another_connection_is_unexpected() {
    // The first message of every connection. Each connection also keeps its own, to recognise it.
    let firsts = Rc::new(RefCell::new(Vec::new()));
    let peer = Peer::answering(move |n, message, own| {
        let mut firsts = firsts.borrow_mut();
        if n == 0 {
            firsts.push(message.clone());
            own.push(message.clone());
        }
        match firsts.iter().find(|first| n == 20 && **first != own[0]) {
            Some(strange) => Answer::Wrong(vec![message, strange.clone()]),
            None => Answer::Right(message),
        }
    });
    let run = Profile::default().load().run(&peer).expect("the peer is there");
    check_run(&run, &peer, Some("unexpected"));
    assert_eq!(peer.counts().faults.get(), 3);
}

#[test]
fn an_answer_after_the_timeout_is_late_and_not_lost() {
    // The answer to the second message waits for the third, a second later.
    let peer = Peer::answering(|n, message, held| {
        if n == 1 {
            held.push(message);
            return Answer::Wrong(vec![]);
        }
        Answer::Many(held.pop().into_iter().chain([message]).collect())
    });
    let pace = "{ open = { rate = 1 } }";
    let profile = Profile { pace, timeout: "500ms", hold: "4s", ..Profile::default() };
    let run = profile.load().run(&peer).expect("the peer is there");
    assert_eq!(peer.counts().faults.get(), 3);
    check_run(&run, &peer, Some("late"));
}

#[test]
fn an_answer_after_the_drain_has_given_up_is_one_fault() {
    // The sixth answer is sent once the close frame is here.
    let peer = Peer::upgrading(|mut socket, counts| async move {
        let mut held = None;
        let mut n = 0;
        // The last message came long before the close frame.
        while let Ok(Some(message)) = timeout(Duration::from_millis(200), socket.next()).await {
            match message? {
                message if n == 5 => held = Some(message),
                message if message.is_text() => socket.send(message).await?,
                _ => return Ok(()),
            }
            n += 1;
        }
        let mut close = [0; 8];
        socket.get_mut().read_exact(&mut close).await?;
        assert_eq!(close[0], 0x88, "the next frame closes");
        if let Some(message) = held {
            counts.faults.add(1);
            socket.send(message).await?;
        }
        Ok(socket.get_mut().write_all(&[0x88, 2, 3, 232]).await?)
    });
    let pace = "{ open = { rate = 10 } }";
    let profile = Profile { pace, timeout: "500ms", ..Profile::default() };
    let run = profile.load().run(&peer).expect("the peer is there");
    assert_eq!(peer.counts().faults.get(), 3);
    assert_eq!(faults(&run).iter().map(|(_, count)| count).sum::<u64>(), 3, "{:?}", faults(&run));
    assert_eq!(endings(&run), [("clean", 3)]);
}
