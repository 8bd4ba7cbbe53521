//! A server in this process that misbehaves as it is told, and counts what it does.

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

/// Connections that are no part of a load: before it begins, it is looked whether there is anything to load, and
/// whether it tells its allocations.
pub(crate) const KNOCKS: u64 = 2;

/// A connection that was upgraded.
pub(crate) type Socket = WebSocketStream<TcpStream>;

/// What a server has done so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// TCP connections.
    pub(crate) accepted: Count,
    /// Messages.
    pub(crate) received: Count,
    /// Messages.
    pub(crate) sent: Count,
    /// Whatever the server is there to do wrong.
    pub(crate) faults: Count,
}

/// A number that only rises.
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

/// A server with a thread and a port of its own. Dropped, it ends, connections and all.
#[derive(Debug)]
pub(crate) struct Server {
    addr: SocketAddr,
    tally: Arc<Tally>,
    _alive: oneshot::Sender<()>,
}

impl Server {
    /// Serves every TCP connection with `serve`; its error is that of a peer who leaves.
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

    /// Upgrades every connection first.
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
        A: Fn(u64, Message, &mut Vec<Message>) -> Answer + Clone + Send + Sync + 'static,
    {
        Self::upgrading(move |socket, tally| serve(socket, tally, answer.clone()))
    }

    /// Sends back what it gets.
    pub(crate) fn echo() -> Self {
        Self::answering(|_, message, _| Answer::Right(message))
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
        // Loopback knows no reason to refuse.
        drop(stream.set_nodelay(true));
        tokio::spawn(serve(stream, Arc::clone(tally)));
    }
}

/// What a server sends when a message has arrived.
#[derive(Debug)]
pub(crate) enum Answer {
    Right(Message),
    /// So many messages that are no fault: of another message, for one.
    Many(Vec<Message>),
    /// A fault, and what is sent with it.
    Wrong(Vec<Message>),
}

/// Sends what `answer` makes of every message; it may keep some of them back.
pub(crate) async fn serve<S, A>(
    mut socket: WebSocketStream<S>,
    tally: Arc<Tally>,
    answer: A,
) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(u64, Message, &mut Vec<Message>) -> Answer,
{
    let mut held = Vec::new();
    let mut n = 0;
    while let Some(message) = socket.next().await {
        let message = message?;
        if !message.is_text() && !message.is_binary() {
            continue;
        }
        tally.received.add(1);
        let answers = match answer(n, message, &mut held) {
            Answer::Right(message) => vec![message],
            Answer::Many(messages) => messages,
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
