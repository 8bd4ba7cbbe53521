//! Connections that send and hardly read: what a server must bear without growing, and without others noticing.

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use bytes::BytesMut;
use futures::{Sink, Stream};
use tokio_tungstenite::tungstenite::Message;

use super::endpoint::Socket;
use super::tender::Place;
use super::worker::Worker;

/// Time between two tries, in nanoseconds.
const AGAIN_NS: u64 = 1_000_000_000;

/// Connection numbers of slow readers: far from those of the others.
const FIRST_ID: u16 = 0xf000;

/// Takes this shard's part of the profile's slow readers in.
pub(super) fn seat_all(worker: &Rc<Worker>, place: Place) {
    let Some(slow) = worker.profile.conduct.slow_readers else { return };
    for at in (place.shard..slow.connections).step_by(place.shards as usize) {
        let shared = Rc::clone(worker);
        worker.spawn(async move {
            live(&shared, FIRST_ID.wrapping_add(at as u16), slow.bytes_per_s as u64).await;
            shared.is_left();
        });
    }
}

async fn live(worker: &Worker, id: u16, bytes_per_s: u64) {
    while !worker.is_draining() {
        worker.count(|counts| counts.provoked += 1);
        let words = match worker.endpoint.connect().await {
            Ok(socket) => stuff(worker, socket, id, bytes_per_s).await,
            Err(problem) => {
                worker.count(|counts| counts.provoked_badly += 1);
                problem.words
            }
        };
        worker.note("provoked", &format!("slow reader: {words}"));
        pause(worker, AGAIN_NS).await;
    }
}

/// Sends until the peer has enough of it; what became of it.
async fn stuff(worker: &Worker, mut socket: Socket, id: u16, bytes_per_s: u64) -> String {
    let (mut number, mut read, mut buffer) = (0, 0, BytesMut::new());
    let begin_ns = worker.clock.now_ns();
    let mut next_look = begin_ns;
    poll_fn(|cx| {
        loop {
            let now_ns = worker.clock.now_ns();
            if worker.is_draining() {
                return Poll::Ready("still there at the end".to_owned());
            }
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
                    worker.exchange.write(id, number, &mut buffer);
                    number += 1;
                    let message = Message::Binary(buffer.split().freeze());
                    Pin::new(&mut socket).start_send(message)
                }
                Poll::Ready(Err(error)) => Err(error),
                Poll::Pending => {
                    // Woken by the socket, or after a while: to read a little, or to leave.
                    if now_ns >= next_look {
                        next_look = now_ns + AGAIN_NS / 10;
                        worker.timers.wake_at(next_look, cx);
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

/// Sleeps in short turns, so that the end of the run is not waited for.
pub(super) async fn pause(worker: &Worker, ns: u64) {
    let until_ns = worker.clock.now_ns() + ns;
    while !worker.is_draining() && worker.clock.now_ns() < until_ns {
        let turn_ns = (worker.clock.now_ns() + 20_000_000).min(until_ns);
        worker.timers.sleep_until(turn_ns).await;
    }
}
