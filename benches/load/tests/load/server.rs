//! A server in this process that misbehaves as a test asks, and counts what it does.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async};

/// Connections before a load: one checks the address, and one asks for metrics.
pub(crate) const PROBES: u64 = 2;

/// An upgraded connection.
pub(crate) type Socket = WebSocketStream<TcpStream>;

/// Counts of a server.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// TCP connections.
    pub(crate) accepted: Count,
    /// Messages received.
    pub(crate) received: Count,
    /// Messages sent.
    pub(crate) sent: Count,
    /// Deliberate errors.
    pub(crate) faults: Count,
}

/// A counter.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::SeqCst);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A server with its own thread and port. Dropping it ends all its connections.
#[derive(Debug)]
pub(crate) struct Server {
    addr: SocketAddr,
    tally: Arc<Tally>,
    _alive: oneshot::Sender<()>,
}

impl Server {
    /// Serves every TCP connection with `serve`, whose errors are those of a client that leaves.
    pub(crate) fn start<S, F>(serve: S) -> Self
    where
        S: Fn(TcpStream, Arc<Tally>) -> F + Send + 'static,
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = listener.expect("there is a port");
        listener.set_nonblocking(true).expect("it is ours");
        let addr = listener.local_addr().expect("it is bound");
        let tally = Arc::new(Tally::default());
        let counted = Arc::clone(&tally);
        let (alive, dropped) = oneshot::channel();
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            runtime.expect("there is a thread").block_on(async {
                let listener = TcpListener::from_std(listener).expect("it does not block");
                tokio::select! {
                    () = accept(&listener, &serve, &counted) => {}
                    _ = dropped => {}
                }
            });
        });
        Self { addr, tally, _alive: alive }
    }

    /// Upgrades every connection, and serves it with `serve`.
    pub(crate) fn upgrading<S, F>(serve: S) -> Self
    where
        S: Fn(Socket, Arc<Tally>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        Self::start(move |stream, tally| {
            let serve = serve.clone();
            async move { serve(accept_async(stream).await?, tally).await }
        })
    }

    /// Answers the `n`th message of each connection, from 0, as `answer` says.
    pub(crate) fn answering<A>(answer: A) -> Self
    where
        A: Fn(u64, Message) -> Answer + Clone + Send + Sync + 'static,
    {
        Self::upgrading(move |socket, tally| serve(socket, tally, answer.clone()))
    }

    /// Sends every message back.
    pub(crate) fn echo() -> Self {
        Self::answering(|_, message| Answer::Right(message))
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/", self.addr)
    }

    pub(crate) fn port(&self) -> u16 {
        self.addr.port()
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }
}

async fn accept<S, F>(listener: &TcpListener, serve: &S, tally: &Arc<Tally>)
where
    S: Fn(TcpStream, Arc<Tally>) -> F,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    while let Ok((stream, _)) = listener.accept().await {
        tally.accepted.add(1);
        // Cannot fail on loopback.
        drop(stream.set_nodelay(true));
        tokio::spawn(serve(stream, Arc::clone(tally)));
    }
}

/// The answer of a server to a message.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The right answer.
    Right(Message),
    /// A deliberate error, and the messages to send.
    Wrong(Vec<Message>),
}

/// Answers every message by `answer`.
pub(crate) async fn serve<S, A>(
    mut socket: WebSocketStream<S>,
    tally: Arc<Tally>,
    answer: A,
) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(u64, Message) -> Answer,
{
    let mut n = 0;
    while let Some(message) = socket.next().await {
        let message = message?;
        if !message.is_text() && !message.is_binary() {
            continue;
        }
        tally.received.add(1);
        let answers = match answer(n, message) {
            Answer::Right(message) => vec![message],
            Answer::Wrong(messages) => {
                tally.faults.add(1);
                messages
            }
        };
        n += 1;
        for message in answers {
            tally.sent.add(1);
            socket.feed(message).await?;
        }
        socket.flush().await?;
    }
    Ok(())
}
