//! Connections that send and hardly read. A server must bear them without growing and without harm to others.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use futures::{Sink, Stream};
use tokio_tungstenite::tungstenite::Message;

use super::control::Place;
use super::endpoint::Socket;
use super::worker_state::WorkerState;

/// Time before a slow reader connects again, in nanoseconds.
const AGAIN_NS: u64 = 1_000_000_000;

/// How often a slow reader whose socket is full looks whether it may read, in nanoseconds.
const LOOK_NS: u64 = 100_000_000;

/// Starts this shard's part of the profile's slow readers.
pub(super) fn start_all(worker: &Rc<WorkerState>, place: Place) {
    let Some(slow) = worker.profile.conduct.slow_readers else { return };
    for _ in (place.shard..slow.connections).step_by(place.shards as usize) {
        worker.spawn(run(Rc::clone(worker), slow.bytes_per_s as u64));
    }
}

async fn run(worker: Rc<WorkerState>, bytes_per_s: u64) {
    while !worker.is_draining() {
        worker.count(|counts| counts.provoked += 1);
        let words = match worker.endpoint.connect().await {
            Ok(socket) => tokio::select! {
                biased;
                () = worker.draining() => "still there at the end".to_owned(),
                words = overfill(&worker, socket, bytes_per_s) => words,
            },
            Err(problem) => {
                worker.count(|counts| counts.provoked_badly += 1);
                problem.words
            }
        };
        worker.note("provoked", &format!("slow reader: {words}"));
        worker.pause(AGAIN_NS).await;
    }
}

/// Sends until the connection ends; returns how it did.
async fn overfill(worker: &WorkerState, mut socket: Socket, bytes_per_s: u64) -> String {
    let id = worker.number();
    let (mut number, mut read) = (0, 0);
    let begin_ns = worker.clock.now_ns();
    let mut next_look_ns = begin_ns;
    poll_fn(|cx| {
        loop {
            let now_ns = worker.clock.now_ns();
            let allowed = bytes_per_s.saturating_mul(now_ns - begin_ns) / 1_000_000_000;
            if read < allowed {
                match Pin::new(&mut socket).poll_next(cx) {
                    Poll::Ready(Some(Ok(message))) => read += message.len() as u64,
                    Poll::Ready(Some(Err(error))) => {
                        return Poll::Ready(format!("dropped: {error}"));
                    }
                    Poll::Ready(None) => {
                        return Poll::Ready("closed by the peer".to_owned());
                    }
                    Poll::Pending => {}
                }
            }
            let sent = match Pin::new(&mut socket).poll_ready(cx) {
                Poll::Ready(Ok(())) => {
                    let mut payload = Vec::new();
                    worker.protocol.write(id, number, &mut payload);
                    number += 1;
                    Pin::new(&mut socket).start_send(Message::Binary(payload.into()))
                }
                Poll::Ready(Err(error)) => Err(error),
                Poll::Pending => {
                    if now_ns >= next_look_ns {
                        next_look_ns = now_ns + LOOK_NS;
                        worker.timers.wake_at(next_look_ns, cx);
                    }
                    return Poll::Pending;
                }
            };
            if let Err(error) = sent {
                return Poll::Ready(format!("dropped after {number} messages: {error}"));
            }
        }
    })
    .await
}
