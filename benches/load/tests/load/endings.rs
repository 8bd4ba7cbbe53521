//! Connections that end otherwise than they should: each in one way, and all of them add up.

use std::sync::Arc;

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::profile::Profile;
use crate::run::{Load, Outcome};
use crate::server::{Answer, KNOCKS, Server, Socket, Tally};

/// Messages that a server echoes before it turns bad.
const GOOD: usize = 20;

/// Connections that a server is bad to; those that come after them, in place of them or not, find an echo.
const BAD: u64 = 3;

/// A server that echoes [`GOOD`] messages of a connection and then does `end`, to the first [`BAD`] of them.
fn ending<E, F>(end: E) -> Server
where
    E: Fn(Socket) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    Server::upgrading(move |mut socket, tally: Arc<Tally>| {
        let end = end.clone();
        async move {
            let mut n = 0;
            while let Some(message) = socket.next().await {
                let message = message?;
                if !message.is_text() {
                    continue;
                }
                tally.received.add(1);
                socket.send(message).await?;
                tally.sent.add(1);
                n += 1;
                if n == GOOD && tally.faults.get() < BAD {
                    tally.faults.add(1);
                    return end(socket).await;
                }
            }
            Ok(())
        }
    })
}

fn run(server: &Server) -> Outcome {
    Load::new(Profile::default(), &server.url()).run()
}

/// Every bad connection ended as `ending`, and nothing else went wrong but what was on its way then.
#[track_caller]
fn check<E, F>(kind: &str, end: E)
where
    E: Fn(Socket) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let server = ending(end);
    let outcome = run(&server);
    outcome.adds_up();
    assert_eq!(server.tally().faults.get(), BAD, "{}", outcome.text);
    assert_eq!(outcome.endings().get(kind), Some(&BAD), "{}", outcome.text);
    assert!(outcome.endings().keys().all(|ending| [kind, "clean"].contains(ending)));
    assert_eq!(outcome.count("attempted") + KNOCKS, server.tally().accepted.get());
    // A reset may overtake what was sent before it.
    let overtaken = server.tally().sent.get() - outcome.count("received");
    assert!(overtaken <= BAD, "{overtaken}");
    assert!(outcome.faults().keys().all(|fault| *fault == "lost"), "{}", outcome.text);
    outcome.check(3, &[&kind.replace('_', " ")]);
}

async fn close(mut socket: Socket, code: CloseCode) -> Result<(), Error> {
    let reason = "out of rope".into();
    socket.close(Some(CloseFrame { code, reason })).await?;
    while socket.next().await.is_some() {}
    Ok(())
}

/// Sends bytes that are no message, and waits for the peer to leave.
async fn blurt(mut socket: Socket, bytes: &'static [u8]) -> Result<(), Error> {
    socket.get_mut().write_all(bytes).await?;
    while socket.next().await.is_some_and(|message| message.is_ok()) {}
    Ok(())
}

#[test]
fn a_close_with_an_error_code_is_named_with_its_code_and_reason() {
    let server = ending(|socket| close(socket, CloseCode::Error));
    let outcome = run(&server);
    assert_eq!(outcome.endings().get("closed_with_error"), Some(&BAD), "{}", outcome.text);
    outcome.check(3, &["1011", "out of rope"]);
    check("closed_with_error", |socket| close(socket, CloseCode::Again));
}

#[test]
fn a_close_that_nobody_needed_is_not_clean() {
    check("closed_by_peer", |socket| close(socket, CloseCode::Away));
}

#[test]
fn a_reset_is_a_reset() {
    check("reset", |socket| async move { Ok(socket.get_ref().set_zero_linger()?) });
}

#[test]
fn an_end_without_a_close_frame_is_a_reset() {
    check("reset", |mut socket| async move { Ok(socket.get_mut().shutdown().await?) });
}

#[test]
fn a_frame_that_is_not_allowed_is_a_protocol_error() {
    // A reserved opcode; a mask from a server; a continuation of nothing.
    check("protocol", |socket| blurt(socket, &[0x83, 0]));
    check("protocol", |socket| blurt(socket, &[0x81, 0x81, 0, 0, 0, 0, b'x']));
    check("protocol", |socket| blurt(socket, &[0x80, 1, b'x']));
}

#[test]
fn text_that_is_not_utf8_is_named() {
    check("utf8", |socket| blurt(socket, &[0x81, 2, 0xc3, 0x28]));
}

#[test]
fn a_message_beyond_all_bounds_is_named_before_it_has_come() {
    check("too_big", |socket| blurt(socket, &[0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0]));
}

#[test]
fn a_server_that_does_not_answer_the_close_is_not_waited_for() {
    // Holds the connection without reading, as tungstenite answers what it reads. Nothing is sent, so that nothing but
    // the end can go wrong.
    let server = Server::upgrading(|socket, _| async move {
        let _held = socket;
        std::future::pending().await
    });
    let profile =
        Profile { pace: "\"idle\"", thresholds: "errors = \"<= 0\"", ..Profile::default() };
    let outcome = Load::new(profile, &server.url()).run();
    outcome.adds_up();
    assert_eq!(outcome.endings().into_iter().collect::<Vec<_>>(), [("close_timeout", 3)]);
    outcome.check(3, &["close timeout", "the closing handshake"]);
}

#[test]
fn a_server_that_leaves_instead_of_answering_the_close_is_a_reset() {
    // The close frame is read as bytes, so that nobody answers it.
    let server = Server::upgrading(|mut socket, _| async move {
        socket.get_mut().read_u8().await?;
        Ok(socket.get_mut().shutdown().await?)
    });
    let profile =
        Profile { pace: "\"idle\"", thresholds: "errors = \"<= 0\"", ..Profile::default() };
    let outcome = Load::new(profile, &server.url()).run();
    outcome.adds_up();
    assert_eq!(outcome.endings().into_iter().collect::<Vec<_>>(), [("reset", 3)]);
    outcome.check(3, &["without a closing handshake"]);
}

/// A server that never answers, and what a limit on the latency of its answers says.
fn mute(thresholds: &str) -> (Outcome, u64) {
    let server = Server::answering(|_, _, _| Answer::Wrong(vec![]));
    let profile = Profile { timeout: "1s", thresholds, ..Profile::default() };
    let outcome = Load::new(profile, &server.url()).run();
    (outcome, server.tally().received.get())
}

#[test]
fn a_server_that_never_answers_loses_all_and_is_as_slow_as_the_patience_with_it() {
    let (outcome, all) = mute("latency_p99 = \"< {timeout}\"");
    outcome.adds_up();
    assert!(all > 0);
    assert_eq!(outcome.faults().into_iter().collect::<Vec<_>>(), [("lost", all)]);
    assert_eq!(outcome.count("sent"), all);
    assert!(outcome.number("timings/rtt_intended/min_ns") >= 1_000_000_000);
    assert_ne!(outcome.code, Some(0), "{}", outcome.text);
}

#[test]
fn nobody_knows_that_an_answer_takes_less_than_a_time_that_was_not_waited() {
    let (outcome, _) = mute("latency_p99 = \"< 30s\"");
    assert_ne!(outcome.code, Some(0), "{}", outcome.text);
}
