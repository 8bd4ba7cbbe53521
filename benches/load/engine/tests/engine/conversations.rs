//! Conversations: steps that open a connection, and exchanges as messages.

use std::cell::RefCell;
use std::rc::Rc;

use futures::{SinkExt, StreamExt};
use load_engine::testing::{Answer, Peer, Socket};
use load_plan::metrics::Timing;
use load_plan::model::Run;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{Profile, check_sums, counts, endings, error_text, faults, is_chosen, times};

/// Says the inline table `talk` to `peer`.
#[track_caller]
fn say(talk: &str, peer: &Peer) -> Run {
    let target = &format!("mode = {{ conversation = {talk} }}");
    let run = Profile { target, ..Profile::default() }.load().run(peer);
    run.expect("the peer is there")
}

/// The run of `talk` with a peer that answers the nth message of a connection with these texts.
#[track_caller]
fn answered(talk: &str, texts: impl Fn(u64, &str) -> Vec<String> + 'static) -> Run {
    let peer = Peer::answering(move |n, message, _| {
        let texts = texts(n, message.to_text().expect("it is text"));
        Answer::Many(texts.into_iter().map(Message::text).collect())
    });
    let run = say(talk, &peer);
    assert_eq!(endings(&run), [("clean", 3)]);
    assert_eq!(counts(&run).sent, peer.counts().received.get());
    assert_eq!(counts(&run).received, peer.counts().sent.get());
    run
}

const NUMBERED: &str =
    "{ exchange = [{ send = 'ask {seq}', expect = { contains = 'to {seq}.' } }] }";
const CONSTANT: &str = "{ exchange = [{ send = 'ask', expect = { prefix = 'yes' } }] }";

fn reply(message: &str) -> String {
    format!("{}.", message.replace("ask", "reply to"))
}

/// The answer to a message, but other ones to five messages of each connection.
fn unless_chosen(n: u64, right: String, wrong: &[String]) -> Vec<String> {
    if is_chosen(n) { wrong.to_vec() } else { vec![right] }
}

#[test]
fn a_conversation_that_is_answered_has_no_fault() {
    for run in [
        answered(NUMBERED, |_, message| vec![reply(message)]),
        answered(CONSTANT, |_, _| vec!["yes, always".to_owned()]),
        answered("{ exchange = [{ send = 'x' }] }", |_, message| vec![message.to_owned()]),
    ] {
        check_sums(&run);
        assert!(faults(&run).is_empty(), "{:?}", faults(&run));
        assert!(counts(&run).sent >= 290);
    }
}

#[test]
fn lost_repeated_and_wrong_answers_are_counted_with_and_without_a_number() {
    let numbered = |wrong: fn(&str) -> Vec<String>| {
        let run =
            answered(NUMBERED, move |n, message| unless_chosen(n, reply(message), &wrong(message)));
        check_sums(&run);
        faults(&run)
    };
    assert_eq!(numbered(|_| vec![]), [("lost", 15)]);
    assert_eq!(numbered(|message| vec![reply(message), reply(message)]), [("duplicated", 15)]);
    let other = |message: &str| vec![reply(&message.replace("ask 1", "ask 11"))];
    assert_eq!(numbered(other), [("lost", 15), ("unexpected", 15)]);
    let constant = |wrong: &'static [&'static str]| {
        let wrong: Vec<String> = wrong.iter().map(|text| (*text).to_owned()).collect();
        let run = answered(CONSTANT, move |n, _| unless_chosen(n, "yes".to_owned(), &wrong));
        check_sums(&run);
        faults(&run)
    };
    assert_eq!(constant(&[]), [("lost", 15)]);
    assert_eq!(constant(&["yes", "yes"]), [("unexpected", 15)]);
    assert_eq!(constant(&["no"]), [("corrupted", 15)]);
}

#[test]
fn an_answer_of_the_wrong_kind_is_corrupted() {
    let peer = Peer::answering(|n, message, _| {
        let text = reply(message.to_text().expect("it is text"));
        let kind = if is_chosen(n) { Message::binary } else { |text: String| Message::text(text) };
        Answer::Right(kind(text))
    });
    let run = say(NUMBERED, &peer);
    assert_eq!(faults(&run), [("corrupted", 15)]);
}

#[test]
fn exchanges_are_sent_in_turn_and_share_a_number() {
    let said: Rc<RefCell<Vec<String>>> = Rc::default();
    let all = Rc::clone(&said);
    let talk = "{ exchange = [{ send = 'ask {seq}', expect = { exact = 'reply to {seq}.' } },\
                { send = 'and', expect = { prefix = 'yes' } }] }";
    let run = answered(talk, move |n, message| {
        all.borrow_mut().push(message.to_owned());
        // Numbers are told apart from answers in turn, whatever comes first.
        vec![if n % 2 == 0 { reply(message) } else { "yes".to_owned() }]
    });
    check_sums(&run);
    assert!(faults(&run).is_empty(), "{:?}", faults(&run));
    let said = said.borrow();
    let asked = said.iter().filter(|text| *text == "ask 1000000000").count();
    assert_eq!((asked, said.iter().filter(|text| *text == "and").count()), (1, said.len() / 2));
}

#[test]
fn an_answer_of_three_messages_is_one_and_ends_with_the_last() {
    let talk = "{ exchange = [{ send = 'x', expect = { frames = 3, exact = 'c' } }] }";
    let run = answered(talk, |_, _| ["a", "b", "c"].map(str::to_owned).to_vec());
    assert!(faults(&run).is_empty(), "{:?}", faults(&run));
    assert_eq!(counts(&run).received, 3 * counts(&run).sent);
    let (timed, _, longest) = times(&run, Timing::RttService);
    assert!(timed >= 290 && longest < 10_000_000, "{timed}, {longest}");
    let wrong = |wrong: &'static [&'static str]| {
        let run = answered(talk, move |n, _| {
            let texts = if is_chosen(n) { wrong } else { &["a", "b", "c"] };
            texts.iter().map(|text| (*text).to_owned()).collect()
        });
        faults(&run)
    };
    assert_eq!(wrong(&["a", "b", "b"]), [("corrupted", 15)]);
    assert_eq!(wrong(&["a", "b", "c", "c"]), [("unexpected", 15)]);
    // The next answer completes it, and all that follow end too early.
    assert!(wrong(&["a", "b"]).iter().any(|(fault, count)| *fault == "corrupted" && *count > 15));
}

const OPENED: &str = "{ open = [{ expect = { prefix = 'hello' } },\
    { send = 'join {seq}', expect = { frames = 2, exact = 'joined {seq}' } }],\
    exchange = [{ send = 'x {seq}' }] }";

/// Greets, lets the client join, and sends back what follows.
async fn greet(mut socket: Socket, greeting: &'static str) -> Result<(), Error> {
    socket.send(Message::Ping("there?".into())).await?;
    socket.send(Message::text(greeting)).await?;
    while let Some(message) = socket.next().await.transpose()? {
        let Message::Text(text) = message else { continue };
        if text.starts_with("join") {
            socket.send(Message::text("2 are here")).await?;
        }
        socket.send(Message::text(text.replace("join", "joined"))).await?;
    }
    Ok(())
}

#[test]
fn each_connection_opens_with_its_steps_before_its_first_message() {
    let run = say(OPENED, &Peer::upgrading(|socket, _| greet(socket, "hello you")));
    check_sums(&run);
    assert_eq!(endings(&run), [("clean", 3)]);
    assert!(faults(&run).is_empty(), "{:?}", faults(&run));
    assert!(counts(&run).sent >= 290);
}

#[test]
fn a_connection_whose_steps_are_answered_wrongly_is_not_open() {
    let run = say(OPENED, &Peer::upgrading(|socket, _| greet(socket, "go away")));
    let all = counts(&run);
    assert_eq!((all.opened, all.sent), (0, 0));
    assert!(endings(&run).iter().any(|(ending, _)| *ending == "bad_handshake"), "{run:?}");
    let words =
        "open step 1, which wants a text that begins with \"hello\" was answered with \"go away\"";
    assert_eq!(error_text(&run, "bad_handshake"), words);
    let closing = Peer::upgrading(|mut socket, _| async move { socket.close(None).await });
    let run = say(OPENED, &closing);
    assert!(error_text(&run, "bad_handshake").contains("closed the connection without a code"));
}

#[test]
fn a_connection_whose_steps_are_not_answered_is_not_open() {
    let silent = Peer::upgrading(|mut socket, _| async move {
        while socket.next().await.is_some() {}
        Ok(())
    });
    let run = say(OPENED, &silent);
    assert_eq!(counts(&run).opened, 0);
    let words = error_text(&run, "handshake_timeout");
    assert!(words.contains("open step 1") && words.contains("within 5 s"), "{words}");
}
