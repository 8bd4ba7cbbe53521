//! Every connection ends in exactly one way, and all of them add up.

use std::cell::Cell;
use std::rc::Rc;

use futures::{SinkExt, StreamExt};
use load_engine::testing::{Answer, Peer, PeerCounts, Socket};
use load_plan::metrics::Timing;
use load_plan::model::Run;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::support::{Profile, check_sums, counts, endings, error_text, faults, is_hold};

/// Messages that a peer echoes before it ends a connection.
const GOOD: usize = 20;

/// Connections that a peer ends; it echoes on all others.
const BAD: u64 = 3;

/// An echo that does `end` to each of the first [`BAD`] connections after [`GOOD`] messages.
fn ending<E, F>(end: E) -> Peer
where
    E: Fn(Socket) -> F + Clone + 'static,
    F: Future<Output = Result<(), Error>> + 'static,
{
    Peer::upgrading(move |mut socket, peer: Rc<PeerCounts>| {
        let end = end.clone();
        async move {
            let mut n = 0;
            while let Some(message) = socket.next().await {
                let message = message?;
                if !message.is_text() {
                    continue;
                }
                peer.received.add(1);
                socket.send(message).await?;
                peer.sent.add(1);
                n += 1;
                if n == GOOD && peer.faults.get() < BAD {
                    peer.faults.add(1);
                    return end(socket).await;
                }
            }
            Ok(())
        }
    })
}

/// Runs a load in which every bad connection must end as `kind`, and no other error happens but messages that were lost
/// with it.
#[track_caller]
fn check<E, F>(kind: &str, end: E) -> Run
where
    E: Fn(Socket) -> F + Clone + 'static,
    F: Future<Output = Result<(), Error>> + 'static,
{
    let peer = ending(end);
    let run = Profile::default().load().run(&peer).expect("the peer is there");
    check_sums(&run);
    assert_eq!(peer.counts().faults.get(), BAD);
    let ended = endings(&run);
    assert!(ended.contains(&(kind, BAD)), "{ended:?}");
    assert!(ended.iter().all(|(ending, _)| [kind, "clean"].contains(ending)), "{ended:?}");
    let all = counts(&run);
    assert_eq!(all.attempted + run.before.attempted + 1, peer.counts().accepted.get());
    // A reset may discard the last answer before it is read.
    let discarded = peer.counts().sent.get() - all.received;
    assert!(discarded <= BAD, "{discarded}");
    assert!(faults(&run).iter().all(|(fault, _)| *fault == "lost"), "{:?}", faults(&run));
    run
}

async fn close(mut socket: Socket, code: CloseCode) -> Result<(), Error> {
    let reason = "out of rope".into();
    socket.close(Some(CloseFrame { code, reason })).await?;
    while socket.next().await.is_some() {}
    Ok(())
}

/// Sends bytes that are not a message, and waits until the client leaves.
async fn send_bytes(mut socket: Socket, bytes: &'static [u8]) -> Result<(), Error> {
    socket.get_mut().write_all(bytes).await?;
    while socket.next().await.is_some_and(|message| message.is_ok()) {}
    Ok(())
}

#[test]
fn a_close_with_an_error_code_is_named_with_its_code_and_reason() {
    let run = check("closed_with_error", |socket| close(socket, CloseCode::Error));
    let text = error_text(&run, "closed_with_error");
    assert!(text.contains("1011") && text.contains("out of rope"), "{text}");
    check("closed_with_error", |socket| close(socket, CloseCode::Again));
}

#[test]
fn a_normal_close_before_ours_is_not_clean() {
    check("closed_by_peer", |socket| close(socket, CloseCode::Away));
}

#[test]
fn a_reset_and_an_end_without_a_close_frame_are_resets() {
    check("reset", |socket| async move {
        socket.get_ref().set_zero_linger();
        Ok(())
    });
    check("reset", |mut socket| async move { Ok(socket.get_mut().shutdown().await?) });
}

#[test]
fn a_forbidden_frame_is_a_protocol_error() {
    // A reserved opcode; a mask from a server; a continuation without a start.
    check("protocol", |socket| send_bytes(socket, &[0x83, 0]));
    check("protocol", |socket| send_bytes(socket, &[0x81, 0x81, 0, 0, 0, 0, b'x']));
    check("protocol", |socket| send_bytes(socket, &[0x80, 1, b'x']));
}

#[test]
fn text_that_is_not_utf8_is_named() {
    check("utf8", |socket| send_bytes(socket, &[0x81, 2, 0xc3, 0x28]));
}

#[test]
fn a_message_over_the_limit_is_named_by_its_header_alone() {
    check("too_big", |socket| send_bytes(socket, &[0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0]));
}

#[test]
fn an_endless_answer_in_fragments_ends_once_it_is_longer_than_the_profile_lets_expect() {
    let most = Rc::new(Cell::new(0));
    let seen = Rc::clone(&most);
    let run = check("too_big", move |mut socket| {
        let most = Rc::clone(&seen);
        async move {
            let mut bytes = 0;
            // The first fragment, and continuations without end.
            let mut frame = [&[0x02, 126, 0x10, 0][..], &[b'x'; 0x1000]].concat();
            while socket.get_mut().write_all(&frame).await.is_ok() {
                frame[0] = 0;
                bytes += frame.len();
                most.set(most.get().max(bytes));
            }
            Ok(())
        }
    });
    // Messages of 64 bytes, 64 KiB more, and what is on its way.
    assert!((1..256 * 1024).contains(&most.get()), "{}", most.get());
    let text = error_text(&run, "too_big");
    assert!(text.contains("at most 65600 are taken"), "{text}");
}

/// A run that sends nothing, so that only its end can fail.
fn idle(peer: &Peer) -> Run {
    let run = Profile { pace: "\"idle\"", ..Profile::default() }.load().run(peer);
    let run = run.expect("the peer is there");
    check_sums(&run);
    run
}

#[test]
fn a_peer_that_does_not_answer_the_close_is_a_close_timeout() {
    // Holds the connection without reading, because tungstenite answers a close frame that it reads.
    let run = idle(&Peer::upgrading(|socket, _| async move {
        let _held = socket;
        std::future::pending().await
    }));
    assert_eq!(endings(&run), [("close_timeout", 3)]);
    assert!(error_text(&run, "close_timeout").contains("the closing handshake"));
}

#[test]
fn a_peer_that_leaves_instead_of_answering_the_close_is_a_reset() {
    // Reads one byte of the close frame, so that tungstenite does not answer it.
    let run = idle(&Peer::upgrading(|mut socket, _| async move {
        socket.get_mut().read_u8().await?;
        Ok(socket.get_mut().shutdown().await?)
    }));
    assert_eq!(endings(&run), [("reset", 3)]);
    assert!(error_text(&run, "reset").contains("without a closing handshake"));
}

#[test]
fn a_peer_that_never_answers_loses_all_messages_and_has_long_latencies() {
    let peer = Peer::answering(|_, _, _| Answer::Wrong(vec![]));
    let run = Profile { timeout: "1s", ..Profile::default() }.load().run(&peer);
    let run = run.expect("the peer is there");
    check_sums(&run);
    let all = peer.counts().received.get();
    assert!(all > 0);
    assert_eq!((faults(&run), counts(&run).sent), (vec![("lost", all)], all));
    let times = run.sum(is_hold).timing(Timing::RttIntended).clone();
    assert_eq!((times.ended(), times.quantile_ns(0.0)), (0, None));
    assert!((all - 3..=all).contains(&times.lost), "{}", times.lost);
}
