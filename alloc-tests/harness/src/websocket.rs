//! The scenarios that most WebSocket servers need.

mod peer;

use std::rc::Rc;

use crate::client::Client;
use crate::frame::{Frame, ascii};
use crate::listener::{Listener, Stop};
use crate::scenario::Scenario;
use crate::serve::Served;
use crate::suite::Suite;
use crate::window::Window;
use peer::{Greet, Peer, Start};

/// N of scenarios that count messages, and of those that count connections or fan-outs.
const MESSAGES: u64 = 1000;
const CONNECTIONS: u64 = 100;

/// A suite for a server on one path. Each method adds a scenario; [`WebSocket::suite`] goes on with others.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/echo.rs"));
/// # fn main() -> std::process::ExitCode {
/// # let suite = plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR"));
/// let chat = suite.websocket("/chat", serve);
/// chat.echo(64).connect().main()
/// # }
/// ```
pub struct WebSocket {
    suite: Suite,
    path: Rc<str>,
    start: Start,
    greet: Greet,
    requests: u32,
}

impl Suite {
    /// Scenarios of a WebSocket server on `path`, which `serve` runs until its [`Stop`] resolves. Each run of a scenario starts
    /// it again, on a thread and a runtime of its own.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/echo.rs"));
    /// # fn main() -> std::process::ExitCode {
    /// # let suite = plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR"));
    /// async fn listen(listener: plimsoll::Listener, stop: plimsoll::Stop) -> std::io::Result<()> {
    ///     tokio::select! {
    ///         () = stop => Ok(()),
    ///         accepted = listener.accept() => Ok(echo(accepted?.0).await),
    ///     }
    /// }
    ///
    /// suite.websocket("/", listen).echo(16).main()
    /// # }
    /// ```
    #[must_use]
    pub fn websocket<F, Fut>(self, path: &str, serve: F) -> WebSocket
    where
        F: Fn(Listener, Stop) -> Fut + Clone + Send + 'static,
        Fut: Future<Output: Served>,
    {
        let start = peer::share(move |window| window.serve(serve.clone()));
        WebSocket { suite: self, path: path.into(), start, greet: Rc::new(|_| Ok(())), requests: 0 }
    }
}

impl WebSocket {
    /// What clients do after each upgrade in all scenarios that follow, for a server that speaks first or wants a name:
    /// by default nothing. It may not allocate; make frames before.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/echo.rs"));
    /// # fn main() -> std::process::ExitCode {
    /// # let suite = plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR"));
    /// let name = plimsoll::ws::Frame::text("anna");
    /// let chat = suite.websocket("/chat", serve).greet(move |client| {
    ///     client.send(&name.request)?;
    ///     client.expect_text_with(b"anna")
    /// });
    /// chat.connect().main()
    /// # }
    /// ```
    #[must_use]
    pub fn greet(self, greet: impl Fn(&mut Client) -> anyhow::Result<()> + 'static) -> Self {
        Self { greet: Rc::new(greet), ..self }
    }

    /// A text of `bytes` letters, sent back unchanged: `echo_text_64b_1000_msgs`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/echo.rs"));
    /// # fn main() -> std::process::ExitCode {
    /// # let suite = plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR"));
    /// suite.websocket("/chat", serve).echo(64).main()
    /// # }
    /// ```
    #[must_use]
    pub fn echo(self, bytes: usize) -> Self {
        let message = Frame::text(&ascii(bytes));
        let id = format!("echo_text_{}_{MESSAGES}_msgs", size(bytes));
        self.exchanges(id, move |client| client.exchange(&message.request, &message.reply))
    }

    /// The text `send`, answered by one text that contains `reply`: `request_1000_msgs`; the second one is `request_2_…`.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/echo.rs"));
    /// # fn main() -> std::process::ExitCode {
    /// # let suite = plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR"));
    /// suite.websocket("/chat", serve).request("{\"id\": 7}", "\"id\": 7").main()
    /// # }
    /// ```
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
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/echo.rs"));
    /// # fn main() -> std::process::ExitCode {
    /// # let suite = plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR"));
    /// suite.websocket("/chat", serve).connect().main()
    /// # }
    /// ```
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
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/echo.rs"));
    /// # fn main() -> std::process::ExitCode {
    /// # let suite = plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR"));
    /// suite.websocket("/chat", serve).hold(3).main()
    /// # }
    /// ```
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
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/echo.rs"));
    /// # fn main() -> std::process::ExitCode {
    /// # let suite = plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR"));
    /// suite.websocket("/chat", serve).fan_out(1).main()
    /// # }
    /// ```
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
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/echo.rs"));
    /// # fn main() -> std::process::ExitCode {
    /// # let suite = plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR"));
    /// let suite = suite.websocket("/chat", serve).connect().suite();
    /// suite.websocket("/news", serve).echo(16).main()
    /// # }
    /// ```
    #[must_use]
    pub fn suite(self) -> Suite {
        self.suite
    }

    /// [`Suite::main`] of all these scenarios.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/echo.rs"));
    /// # fn main() -> std::process::ExitCode {
    /// # let suite = plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR"));
    /// suite.websocket("/chat", serve).echo(16).main()
    /// # }
    /// ```
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
        let exchanges = move |n| {
            let (peer, mut client, one) = (peer.clone(), Client::default(), one.clone());
            move |window: &Window| {
                let server = (peer.start)(window)?;
                peer.upgrade(&mut client, &server)?;
                (0..n).try_for_each(|_| one(&mut client))?;
                client.close()?;
                server.stop()
            }
        };
        let scenario = || Scenario::new("message", MESSAGES, exchanges).in_turns();
        Self { suite: self.suite.scenario(id.leak(), scenario), ..self }
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

/// `64b`, `16kib`.
fn size(bytes: usize) -> String {
    if bytes >= 1024 && bytes.is_multiple_of(1024) {
        format!("{}kib", bytes / 1024)
    } else {
        format!("{bytes}b")
    }
}
