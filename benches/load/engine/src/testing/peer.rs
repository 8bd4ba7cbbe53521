//! A peer in memory, whose behaviour is a closure of the test.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async};

use crate::memory::{Dialer, Listener, Pipe};

/// Time that [`Peer::answering`] takes for an answer. Not zero: a closed loop would never let the time go on.
const LATENCY: Duration = Duration::from_millis(1);

/// Messages of a connection that wait for their answers. With more, the peer reads no further: a client that only
/// writes would never let the time go on.
const MOST_WAITING: usize = 1024;

/// A connection that was upgraded.
pub type Socket = WebSocketStream<Pipe>;

type Served = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// Counts of a peer. [`Peer`] counts connections; the function that serves them counts everything else.
#[derive(Debug, Default)]
pub struct PeerCounts {
    /// Connections, those included that are no part of the load: one to find out whether there is a target, and, if no
    /// shard is run, another that asks for metrics.
    pub accepted: Count,
    /// Messages.
    pub received: Count,
    /// Messages.
    pub sent: Count,
    /// Faults that the peer made on purpose.
    pub faults: Count,
}

/// A number that only rises.
#[derive(Debug, Default)]
pub struct Count(Cell<u64>);

impl Count {
    /// So many more.
    pub fn add(&self, more: u64) {
        self.0.set(self.0.get() + more);
    }

    /// All so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.get()
    }
}

/// The reaction of a peer to a message.
#[derive(Debug)]
pub enum Answer {
    /// One message.
    Right(Message),
    /// Any number of messages, none of them a fault.
    Many(Vec<Message>),
    /// A fault, and the messages that are sent with it.
    Wrong(Vec<Message>),
}

/// A peer that serves any number of connections.
#[derive(Clone)]
pub struct Peer {
    serve: Rc<dyn Fn(Pipe, Rc<PeerCounts>) -> Served>,
    counts: Rc<PeerCounts>,
    refuses_after: u64,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("counts", &self.counts).finish_non_exhaustive()
    }
}

impl Peer {
    /// Serves every connection with `serve`, before any upgrade. Ignores its errors: clients may leave at any time.
    pub fn raw<S, F>(serve: S) -> Self
    where
        S: Fn(Pipe, Rc<PeerCounts>) -> F + 'static,
        F: Future<Output = Result<(), Error>> + 'static,
    {
        Self {
            serve: Rc::new(move |pipe, counts| Box::pin(serve(pipe, counts))),
            counts: Rc::default(),
            refuses_after: u64::MAX,
        }
    }

    /// Upgrades every connection first.
    pub fn upgrading<S, F>(serve: S) -> Self
    where
        S: Fn(Socket, Rc<PeerCounts>) -> F + 'static,
        F: Future<Output = Result<(), Error>> + 'static,
    {
        let serve = Rc::new(serve);
        Self::raw(move |pipe, counts| {
            let serve = Rc::clone(&serve);
            async move { serve(accept_async(pipe).await?, counts).await }
        })
    }

    /// Answers the `n`th message of each connection, from 0, as `answer` says; it may keep messages in the list.
    pub fn answering<A>(answer: A) -> Self
    where
        A: Fn(u64, Message, &mut Vec<Message>) -> Answer + 'static,
    {
        Self::answering_after(LATENCY, answer)
    }

    /// Answers as [`Peer::answering`], `latency` after a message has come.
    pub fn answering_after<A>(latency: Duration, answer: A) -> Self
    where
        A: Fn(u64, Message, &mut Vec<Message>) -> Answer + 'static,
    {
        let answer = Rc::new(answer);
        Self::upgrading(move |socket, counts| {
            let answer = Rc::clone(&answer);
            async move { serve(socket, &counts, latency, &*answer).await }
        })
    }

    /// Sends every message back.
    #[must_use]
    pub fn echo() -> Self {
        Self::answering(|_, message, _| Answer::Right(message))
    }

    /// Serves each connection only after `wait`, given how many were accepted.
    #[must_use]
    pub fn waiting(self, wait: impl Fn(u64) -> Duration + 'static) -> Self {
        let Self { serve, counts, refuses_after } = self;
        let serve = move |pipe: Pipe, counts: Rc<PeerCounts>| -> Served {
            let wait = wait(counts.accepted.get());
            let served = serve(pipe, counts);
            Box::pin(async move {
                if !wait.is_zero() {
                    sleep(wait).await;
                }
                served.await
            })
        };
        Self { serve: Rc::new(serve), counts, refuses_after }
    }

    /// Refuses connections once it has accepted `accepted`.
    #[must_use]
    pub fn refusing_after(mut self, accepted: u64) -> Self {
        self.refuses_after = accepted;
        self
    }

    /// Its counts so far.
    #[must_use]
    pub fn counts(&self) -> &PeerCounts {
        &self.counts
    }

    /// Accepts connections in the current [`tokio::task::LocalSet`].
    pub(crate) fn listen(&self) -> Dialer {
        let accepts = self.refuses_after.saturating_sub(self.counts.accepted.get());
        let (mut listener, dialer) = Listener::bind(accepts);
        let peer = self.clone();
        spawn_local(async move {
            while let Some(pipe) = listener.accept().await {
                peer.counts.accepted.add(1);
                spawn_local((peer.serve)(pipe, Rc::clone(&peer.counts)));
            }
        });
        dialer
    }
}

async fn serve<A>(
    mut socket: Socket,
    counts: &PeerCounts,
    latency: Duration,
    answer: &A,
) -> Result<(), Error>
where
    A: Fn(u64, Message, &mut Vec<Message>) -> Answer,
{
    let (mut waiting, mut held) = (VecDeque::new(), Vec::new());
    let mut n = 0;
    loop {
        let due = waiting.front().map_or_else(Instant::now, |(due, _)| *due);
        let message = tokio::select! {
            biased;
            () = sleep_until(due), if !waiting.is_empty() => waiting.pop_front(),
            message = socket.next(), if waiting.len() < MOST_WAITING => {
                let Some(message) = message.transpose()? else { return Ok(()) };
                if message.is_text() || message.is_binary() {
                    counts.received.add(1);
                    waiting.push_back((Instant::now() + latency, message));
                }
                None
            }
        };
        let Some((_, message)) = message else { continue };
        let answers = match answer(n, message, &mut held) {
            Answer::Right(message) => vec![message],
            Answer::Many(messages) => messages,
            Answer::Wrong(messages) => {
                counts.faults.add(1);
                messages
            }
        };
        n += 1;
        for message in answers {
            counts.sent.add(1);
            socket.feed(message).await?;
        }
        socket.flush().await?;
    }
}
