//! Messages that a server treats badly are counted to the message, and no message is two faults.

use std::sync::{Arc, Mutex};

use futures::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use crate::profile::Profile;
use crate::run::{Load, Outcome};
use crate::server::{Answer, KNOCKS, Server};

/// An open loop, and a closed one with several messages on their way.
const PACES: [&str; 2] = ["{ open = { rate = 100 } }", "{ closed = { depth = 8 } }"];

/// Messages that each connection has treated badly: five of the first fifty.
const CHOSEN: u64 = 5;

const fn is_chosen(n: u64) -> bool {
    n % 10 == 5 && n < 10 * CHOSEN
}

/// The message with another `byte`. Of text it stays text: only the lowest bit changes.
fn flipped(message: &Message, byte: usize) -> Message {
    let mut bytes = message.clone().into_data().to_vec();
    if message.is_text() {
        bytes[byte] ^= 1;
        Message::text(String::from_utf8(bytes).expect("it is ASCII"))
    } else {
        bytes[byte] ^= 0xff;
        Message::binary(bytes)
    }
}

/// Holds what was reported against what the server did.
#[track_caller]
fn agree(outcome: &Outcome, server: &Server, fault: Option<&str>) {
    outcome.adds_up();
    let done = server.tally().faults.get();
    let expected = fault.map(|fault| (fault, done)).into_iter().collect();
    assert_eq!(outcome.faults(), expected, "{}", outcome.text);
    assert_eq!(outcome.endings().into_iter().collect::<Vec<_>>(), [("clean", 3)]);
    assert_eq!(outcome.count("sent"), server.tally().received.get());
    assert_eq!(outcome.count("received"), server.tally().sent.get());
    assert_eq!(server.tally().accepted.get(), 3 + KNOCKS);
}

/// Lets `answer` treat messages badly, in both loops.
#[track_caller]
fn check<A>(fault: &str, per_connection: u64, traffic: &str, answer: A)
where
    A: Fn(u64, Message, &mut Vec<Message>) -> Answer + Clone + Send + Sync + 'static,
{
    // Waited for in full where something is lost.
    let timeout = if fault == "lost" { "3s" } else { "20s" };
    let runs = PACES.map(|pace| {
        let server = Server::answering(answer.clone());
        let profile = Profile { pace, timeout, traffic, ..Profile::default() };
        (Load::new(profile, &server.url()).start(), server)
    });
    for (run, server) in runs {
        let outcome = run.finish();
        assert_eq!(server.tally().faults.get(), 3 * per_connection, "{}", outcome.text);
        agree(&outcome, &server, Some(fault));
        outcome.check(3, &[fault]);
    }
}

#[test]
fn a_server_that_echoes_has_no_faults() {
    for (kind, fragments) in [("text", 1), ("binary", 1), ("text", 3)] {
        let server = Server::echo();
        let traffic = &format!("kind = \"{kind}\"\nfragments = {fragments}");
        let outcome = Load::new(Profile { traffic, ..Profile::default() }, &server.url()).run();
        agree(&outcome, &server, None);
        outcome.check(0, &[]);
    }
}

#[test]
fn a_message_that_is_dropped_is_lost_once() {
    check("lost", CHOSEN, "", |n, message, _| {
        if is_chosen(n) { Answer::Wrong(vec![]) } else { Answer::Right(message) }
    });
}

#[test]
fn a_message_that_is_answered_twice_is_duplicated_once() {
    check("duplicated", CHOSEN, "", |n, message, _| {
        if is_chosen(n) {
            Answer::Wrong(vec![message.clone(), message])
        } else {
            Answer::Right(message)
        }
    });
}

#[test]
fn an_answer_that_comes_again_much_later_is_duplicated_once() {
    check("duplicated", CHOSEN, "", |n, message, held| {
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
fn two_answers_that_change_places_are_reordered_once() {
    check("reordered", CHOSEN, "", |n, message, held| {
        if is_chosen(n) {
            held.push(message);
            return Answer::Wrong(vec![]);
        }
        Answer::Many([Some(message), held.pop()].into_iter().flatten().collect())
    });
}

#[test]
fn an_answer_that_three_others_overtake_is_reordered_once() {
    check("reordered", CHOSEN, "", |n, message, held| {
        if is_chosen(n) {
            held.push(message);
            return Answer::Wrong(vec![]);
        }
        let late = held.pop_if(|_| n.checked_sub(3).is_some_and(is_chosen));
        Answer::Many([Some(message), late].into_iter().flatten().collect())
    });
}

#[test]
fn a_byte_that_changes_is_corruption_wherever_it_is() {
    for kind in ["text", "binary"] {
        // The nth message has its nth byte changed, so that its number is, too.
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
fn a_byte_that_changes_in_a_large_message_is_corruption_wherever_it_is() {
    let sizes = "sizes = [{ bytes = 16 }, { bytes = \"20 KiB\" }]";
    check("corrupted", CHOSEN, sizes, |n, message, _| {
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
fn an_answer_that_is_too_short_or_too_long_is_corrupted() {
    check("corrupted", CHOSEN, "kind = \"binary\"", |n, message, _| {
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
fn text_that_comes_back_as_binary_is_corrupted() {
    check("corrupted", CHOSEN, "", |n, message, _| {
        if is_chosen(n) {
            Answer::Wrong(vec![Message::binary(message.into_data())])
        } else {
            Answer::Right(message)
        }
    });
}

#[test]
fn a_message_that_nobody_asked_for_is_unexpected() {
    check("unexpected", CHOSEN, "", |n, message, _| {
        if is_chosen(n) {
            Answer::Wrong(vec![Message::text("news that nobody asked for"), message])
        } else {
            Answer::Right(message)
        }
    });
}

#[test]
fn a_message_of_another_connection_is_unexpected() {
    // The first message of every connection; each keeps its own as well, to know it.
    let firsts = Arc::new(Mutex::new(Vec::new()));
    let server = Server::answering(move |n, message, own| {
        let mut firsts = firsts.lock().expect("no holder panics");
        if n == 0 {
            firsts.push(message.clone());
            own.push(message.clone());
        }
        match firsts.iter().find(|first| n == 20 && **first != own[0]) {
            Some(strange) => Answer::Wrong(vec![message, strange.clone()]),
            None => Answer::Right(message),
        }
    });
    let outcome = Load::new(Profile::default(), &server.url()).run();
    outcome.adds_up();
    assert_eq!(server.tally().faults.get(), 3);
    assert_eq!(outcome.faults().into_iter().collect::<Vec<_>>(), [("unexpected", 3)]);
}

#[test]
fn an_answer_after_the_timeout_is_late_and_not_lost() {
    // A second between two messages; the answer to the second is held back until the third is here.
    let server = Server::answering(|n, message, held| {
        if n == 1 {
            held.push(message);
            return Answer::Wrong(vec![]);
        }
        Answer::Many(held.pop().into_iter().chain([message]).collect())
    });
    let profile = Profile {
        pace: "{ open = { rate = 1 } }",
        timeout: "500ms",
        hold: "4 s",
        ..Profile::default()
    };
    let outcome = Load::new(profile, &server.url()).run();
    assert_eq!(server.tally().faults.get(), 3);
    agree(&outcome, &server, Some("late"));
}

#[test]
fn an_answer_after_we_have_given_up_is_one_fault_and_not_two() {
    // The sixth answer is held back until the close frame is here: the wait is over then.
    let server = Server::upgrading(|mut socket, tally| async move {
        let mut held = None;
        for n in 0.. {
            let mut first = [0];
            socket.get_ref().peek(&mut first).await?;
            if first[0] & 0xf == 8
                && let Some(message) = held.take()
            {
                tally.faults.add(1);
                socket.send(message).await?;
            }
            match socket.next().await.transpose()? {
                Some(message) if n == 5 => held = Some(message),
                Some(message) if message.is_text() => socket.send(message).await?,
                _ => break,
            }
        }
        while socket.next().await.is_some() {}
        Ok(())
    });
    let profile =
        Profile { pace: "{ open = { rate = 10 } }", timeout: "500ms", ..Profile::default() };
    let outcome = Load::new(profile, &server.url()).run();
    assert_eq!(server.tally().faults.get(), 3, "{}", outcome.text);
    assert_eq!(outcome.faults().values().sum::<u64>(), 3, "{}", outcome.text);
    assert_eq!(outcome.endings().into_iter().collect::<Vec<_>>(), [("clean", 3)]);
}
