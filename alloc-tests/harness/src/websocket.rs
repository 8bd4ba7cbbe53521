//! The scenarios that most WebSocket servers need.

use std::rc::Rc;

use crate::client::Client;
use crate::frame::{Frame, ascii};
use crate::listener::{Listener, Stop};
use crate::scenario::Scenario;
use crate::serve::{Served, Server};
use crate::suite::Suite;
use crate::window::Window;

/// N of scenarios that count messages, and of those that count connections or fan-outs.
const MESSAGES: u64 = 1000;
const CONNECTIONS: u64 = 100;

/// Starts the server in a window.
type Start = Rc<dyn for<'a> Fn(&'a Window) -> anyhow::Result<Server<'a>>>;

/// What a client does after each upgrade.
type Greet = Rc<dyn Fn(&mut Client) -> anyhow::Result<()>>;

/// A suite for a server on one path. Each method adds a scenario; [`WebSocket::suite`] goes on with others.
pub struct WebSocket {
    suite: Suite,
    path: Rc<str>,
    start: Start,
    greet: Greet,
    requests: u32,
}

impl Suite {
    /// Scenarios of a WebSocket server on `path`, which `serve` runs until `stop` resolves.
    ///
    /// ```no_run
    /// use futures::{SinkExt, StreamExt};
    /// use plimsoll::{Listener, Stop, Suite};
    ///
    /// plimsoll::allocator!();
    ///
    /// fn main() -> std::process::ExitCode {
    ///     Suite::new(env!("CARGO_MANIFEST_DIR")).websocket("/", serve).echo(64).connect().hold(100).main()
    /// }
    ///
    /// async fn serve(listener: Listener, stop: Stop) -> std::io::Result<()> {
    ///     loop {
    ///         tokio::select! {
    ///             () = stop.clone() => return Ok(()),
    ///             accepted = listener.accept() => tokio::spawn(echo(accepted?.0)),
    ///         };
    ///     }
    /// }
    ///
    /// async fn echo(stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin) {
    ///     let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    ///     while let Some(Ok(message)) = socket.next().await {
    ///         if message.is_text() && socket.send(message).await.is_err() {
    ///             return;
    ///         }
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn websocket<F, Fut>(self, path: &str, serve: F) -> WebSocket
    where
        F: Fn(Listener, Stop) -> Fut + Clone + Send + 'static,
        Fut: Future<Output: Served>,
    {
        let start = share(move |window| window.serve(serve.clone()));
        WebSocket { suite: self, path: path.into(), start, greet: Rc::new(|_| Ok(())), requests: 0 }
    }
}

/// Gives a closure the type with every lifetime.
fn share(start: impl for<'a> Fn(&'a Window) -> anyhow::Result<Server<'a>> + 'static) -> Start {
    Rc::new(start)
}

impl WebSocket {
    /// What clients do after each upgrade in all scenarios that follow, for a server that speaks first or wants a name:
    /// by default nothing. It may not allocate; make frames before.
    #[must_use]
    pub fn greet(self, greet: impl Fn(&mut Client) -> anyhow::Result<()> + 'static) -> Self {
        Self { greet: Rc::new(greet), ..self }
    }

    /// A text of `bytes` letters, sent back unchanged: `echo_text_64b_1000_msgs`.
    #[must_use]
    pub fn echo(self, bytes: usize) -> Self {
        let message = Frame::text(&ascii(bytes));
        let id = format!("echo_text_{}_{MESSAGES}_msgs", size(bytes));
        self.exchanges(id, move |client| client.exchange(&message.request, &message.reply))
    }

    /// The text `send`, answered by one text that contains `reply`: `request_1000_msgs`; the second one is `request_2_…`.
    #[must_use]
    pub fn request(mut self, send: &str, reply: &str) -> Self {
        self.requests += 1;
        let number = if self.requests == 1 { String::new() } else { format!("{}_", self.requests) };
        let (message, reply) = (Frame::text(send), reply.to_owned());
        self.exchanges(format!("request_{number}{MESSAGES}_msgs"), move |client| {
            client.send(&message.request)?;
            client.expect_text_with(reply.as_bytes())
        })
    }

    /// Connections one after the other, each closed on both sides: `connect_close_100_conns`.
    #[must_use]
    pub fn connect(self) -> Self {
        let peer = self.peer();
        let id = format!("connect_close_{CONNECTIONS}_conns");
        self.add(id, "connection", CONNECTIONS, move |n| {
            let (peer, mut client) = (peer.clone(), Client::default());
            move |window| {
                let server = (peer.start)(window)?;
                for _ in 0..n {
                    peer.upgrade(&mut client, &server)?;
                    client.close()?;
                }
                server.stop()
            }
        })
    }

    /// So many connections open at once, with the heap and the descriptors that they hold: `hold_100_conns`.
    #[must_use]
    pub fn hold(self, connections: u64) -> Self {
        let peer = self.peer();
        self.add(format!("hold_{connections}_conns"), "connection", connections, move |n| {
            let peer = peer.clone();
            let (mut clients, probe) = (Client::several(n), Frame::ping(b"plimsoll"));
            move |window| {
                let server = (peer.start)(window)?;
                peer.open(&mut clients, &server, &probe)?;
                window.hold()?;
                clients.iter_mut().try_for_each(Client::close)?;
                server.stop()
            }
        })
    }

    /// A text that the first of so many clients sends and all get, the sender too: `fan_out_8_subs_100_msgs`.
    #[must_use]
    pub fn fan_out(self, subscribers: u64) -> Self {
        if subscribers == 0 {
            let problem = "fan_out(0) has no client that sends; give it at least 1";
            return Self { suite: self.suite.refused(problem), ..self };
        }
        let peer = self.peer();
        let id = format!("fan_out_{subscribers}_subs_{CONNECTIONS}_msgs");
        self.add(id, "message", CONNECTIONS, move |n| {
            let peer = peer.clone();
            let (mut clients, probe) = (Client::several(subscribers), Frame::ping(b"plimsoll"));
            let payload = ascii(64);
            let message = Frame::text(&payload);
            move |window| {
                let server = (peer.start)(window)?;
                peer.open(&mut clients, &server, &probe)?;
                for _ in 0..n {
                    clients[0].send(&message.request)?;
                    for client in &mut clients {
                        client.expect_text_with(payload.as_bytes())?;
                    }
                }
                clients.iter_mut().try_for_each(Client::close)?;
                server.stop()
            }
        })
    }

    /// The suite, for scenarios of another kind.
    #[must_use]
    pub fn suite(self) -> Suite {
        self.suite
    }

    /// [`Suite::main`].
    #[must_use]
    pub fn main(self) -> std::process::ExitCode {
        self.suite.main()
    }

    /// One client that makes 1000 exchanges.
    fn exchanges(
        self,
        id: String,
        one: impl Fn(&mut Client) -> anyhow::Result<()> + Clone + 'static,
    ) -> Self {
        let peer = self.peer();
        self.add(id, "message", MESSAGES, move |n| {
            let (peer, mut client, one) = (peer.clone(), Client::default(), one.clone());
            move |window| {
                let server = (peer.start)(window)?;
                peer.upgrade(&mut client, &server)?;
                (0..n).try_for_each(|_| one(&mut client))?;
                client.close()?;
                server.stop()
            }
        })
    }

    fn peer(&self) -> Peer {
        let Self { path, start, greet, .. } = self;
        Peer { path: Rc::clone(path), start: Rc::clone(start), greet: Rc::clone(greet) }
    }

    fn add<B>(
        self,
        id: String,
        unit: &'static str,
        ops: u64,
        prepare: impl Fn(u64) -> B + 'static,
    ) -> Self
    where
        B: FnOnce(&Window) -> anyhow::Result<()> + 'static,
    {
        // Ids live as long as the program.
        let suite = self.suite.scenario(id.leak(), || Scenario::new(unit, ops, prepare));
        Self { suite, ..self }
    }
}

/// The way in to a server.
#[derive(Clone)]
struct Peer {
    path: Rc<str>,
    start: Start,
    greet: Greet,
}

impl Peer {
    fn upgrade(&self, client: &mut Client, server: &Server<'_>) -> anyhow::Result<()> {
        server.connect(client)?;
        client.request_upgrade(&self.path)?;
        (self.greet)(client)
    }

    /// Connects all clients. The answer to a ping shows that the server has begun to serve a connection, and is done with
    /// what it does before.
    fn open(
        &self,
        clients: &mut [Client],
        server: &Server<'_>,
        probe: &Frame,
    ) -> anyhow::Result<()> {
        for client in clients {
            self.upgrade(client, server)?;
            client.exchange(&probe.request, &probe.reply)?;
        }
        Ok(())
    }
}

/// `64b`, `16kib`.
fn size(bytes: usize) -> String {
    if bytes >= 1024 && bytes.is_multiple_of(1024) {
        format!("{}kib", bytes / 1024)
    } else {
        format!("{bytes}b")
    }
}
