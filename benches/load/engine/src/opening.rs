//! What a connection does between its upgrade and its first message. It is a part of opening it: it takes time, and what
//! goes wrong is an attempt that failed.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use conversation::frame::first_number;
use conversation::script::{Line, shown};
use futures::{Sink, Stream};
use load_plan::outcome::Ending;
use load_plan::profile::Kind;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::endpoint::WiredSocket;
use super::problem::{Problem, of_session};
use super::transport::within;
use super::wire::Next;
use super::worker_state::WorkerState;

/// Says what the protocol begins with, and demands the answers.
///
/// # Errors
///
/// How the attempt to open connection `id` ended.
pub(super) async fn open(
    worker: &WorkerState,
    socket: &mut WiredSocket,
    id: u32,
) -> Result<(), Problem> {
    for line in &worker.protocol.open {
        say(worker, socket, line, id).await?;
        hear(socket, line, id).await?;
    }
    Ok(())
}

async fn say(
    worker: &WorkerState,
    socket: &mut WiredSocket,
    line: &Line,
    id: u32,
) -> Result<(), Problem> {
    let Some(send) = &line.send else { return Ok(()) };
    let kind = if send.is_binary() { Data::Binary } else { Data::Text };
    let key = worker.masking_keys.borrow_mut().draw();
    let write = |out: &mut Vec<u8>| send.text().write(first_number(id), out);
    socket.get_mut().put(OpCode::Data(kind), true, key, write);
    let flushed = poll_fn(|cx| Pin::new(&mut *socket).poll_flush(cx));
    let flushed = async { flushed.await.map_err(|error| of_session(&error)) };
    within(Ending::HandshakeTimeout, &line.name, flushed).await
}

async fn hear(socket: &mut WiredSocket, line: &Line, id: u32) -> Result<(), Problem> {
    let Some(answer) = &line.answer else { return Ok(()) };
    let place = || format!("{}, which wants {}", line.name, answer.wanted(first_number(id)));
    for nth in 1..=answer.frames {
        let message = poll_fn(|cx| next(socket, cx));
        let message = within(Ending::HandshakeTimeout, &place(), message).await;
        let (kind, payload) = message.map_err(|Problem { ending, words }| {
            let words =
                if words.contains(&line.name) { words } else { format!("{}: {words}", place()) };
            Problem { ending, words }
        })?;
        let is_right = (kind == Kind::Binary) == answer.binary
            && (nth < answer.frames || answer.rule.accepts(&payload, first_number(id)));
        if !is_right {
            let words = format!("{} was answered with {}", place(), shown(&payload));
            return Err(Problem::of(Ending::BadHandshake, words));
        }
    }
    Ok(())
}

/// The next message, from whichever of the two halves of the socket reads it.
fn next(socket: &mut WiredSocket, cx: &mut Context<'_>) -> Poll<Result<(Kind, Vec<u8>), Problem>> {
    loop {
        match socket.get_mut().poll_next(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(of_session(&Error::Io(error)))),
            Poll::Ready(Ok(Next::Message(kind, payload))) => {
                let bytes = socket.get_mut().lend();
                let payload = bytes[payload].to_vec();
                socket.get_mut().give_back(bytes);
                return Poll::Ready(Ok((kind, payload)));
            }
            Poll::Ready(Ok(_)) => {}
        }
        match Pin::new(&mut *socket).poll_next(cx) {
            Poll::Pending if socket.get_ref().is_passing() => return Poll::Pending,
            Poll::Pending => {}
            Poll::Ready(None) => return Poll::Ready(Err(refused("without a close frame"))),
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(of_session(&error))),
            Poll::Ready(Some(Ok(Message::Text(text)))) => {
                return Poll::Ready(Ok((Kind::Text, text.as_bytes().to_vec())));
            }
            Poll::Ready(Some(Ok(Message::Binary(bytes)))) => {
                return Poll::Ready(Ok((Kind::Binary, bytes.to_vec())));
            }
            Poll::Ready(Some(Ok(Message::Close(frame)))) => {
                let words = frame.map_or_else(
                    || "without a code".to_owned(),
                    |frame| format!("with {} {:?}", u16::from(frame.code), frame.reason.as_str()),
                );
                return Poll::Ready(Err(refused(&words)));
            }
            // tungstenite has queued the answer to a ping.
            Poll::Ready(Some(Ok(_))) => {
                if let Poll::Ready(Err(error)) = Pin::new(&mut *socket).poll_flush(cx) {
                    return Poll::Ready(Err(of_session(&error)));
                }
            }
        }
    }
}

fn refused(how: &str) -> Problem {
    Problem::of(Ending::BadHandshake, format!("the target closed the connection {how}"))
}
