//! What a server in a window gets: its port, and its signal to stop.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, FutureExt, Shared};
use tokio::net::{TcpListener, TcpStream};

use crate::counted::{Counted, count};
use crate::io_count::IO;

/// The port of a server in a window. Its streams count their reads and writes.
///
/// ```
/// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
/// # plimsoll::Scenario::new("connection", 1, |_| { let mut client = plimsoll::ws::Client::default(); move |window| {
/// let server = window.serve(async |listener, stop| {
///     assert!(listener.local_addr()?.ip().is_loopback());
///     drop(listener.accept().await?);
///     std::io::Result::Ok(stop.await)
/// })?;
/// client.connect(server.addr())?;
/// # client.expect_end()?;
/// server.stop()
/// # } })
/// # }).main() }
/// ```
#[derive(Debug)]
pub struct Listener(pub(crate) TcpListener);

impl Listener {
    /// Accepts a connection, with `TCP_NODELAY`.
    ///
    /// ```
    /// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
    /// # plimsoll::Scenario::new("connection", 1, |_| { let mut client = plimsoll::ws::Client::default(); move |window| {
    /// # let server = window.serve(async |listener, stop| {
    /// let (mut stream, _peer) = listener.accept().await?;
    /// tokio::io::AsyncWriteExt::write_all(&mut stream, b"welcome").await?;
    /// # stop.await; std::io::Result::Ok(()) })?;
    /// # client.connect(server.addr())?;
    /// # client.expect(b"welcome")?;
    /// # server.stop() } })
    /// # }).main() }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`TcpListener::accept`].
    pub async fn accept(&self) -> io::Result<(Counted<TcpStream>, SocketAddr)> {
        let (socket, peer) = self.0.accept().await?;
        IO.set_unserved(false);
        socket.set_nodelay(true)?;
        Ok((count(socket), peer))
    }

    /// The address that it listens on.
    ///
    /// ```
    /// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
    /// # plimsoll::Scenario::new("start", 1, |_| |window| {
    /// # let server = window.serve(async |listener, stop| {
    /// assert_ne!(listener.local_addr()?.port(), 0);
    /// # std::io::Result::Ok(stop.await) })?;
    /// # server.stop() })
    /// # }).main() }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`TcpListener::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// tokio's own listener, for a server that takes nothing else. Reads and writes are then *not measured*, unless the
    /// server wraps its streams with [`count`](crate::count).
    ///
    /// ```
    /// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
    /// # plimsoll::Scenario::new("connection", 1, |_| { let mut client = plimsoll::ws::Client::default(); move |window| {
    /// # let server = window.serve(async |listener, stop| {
    /// let listener = listener.into_tokio();
    /// let (stream, _peer) = listener.accept().await?;
    /// drop(plimsoll::count(stream)); // counted after all
    /// # std::io::Result::Ok(stop.await) })?;
    /// # client.connect(server.addr())?;
    /// # client.expect_end()?;
    /// # server.stop() } })
    /// # }).main() }
    /// ```
    #[must_use]
    pub fn into_tokio(self) -> TcpListener {
        IO.accept_unseen();
        self.0
    }
}

#[cfg(feature = "axum")]
impl axum::serve::Listener for Listener {
    type Io = Counted<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            // An error is that of one connection, or lasts: then the scenario times out.
            match Self::accept(self).await {
                Ok(accepted) => return accepted,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Self::local_addr(self)
    }
}

/// Resolves when the server must stop. Every clone does.
///
/// ```
/// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
/// # plimsoll::Scenario::new("start", 1, |_| |window| {
/// let server = window.serve(async |_, stop| {
///     let of_a_task = stop.clone();
///     let task = tokio::spawn(of_a_task);
///     stop.await;
///     task.await
/// })?;
/// server.stop()
/// # })
/// # }).main() }
/// ```
#[derive(Clone, Debug)]
pub struct Stop(pub(crate) Shared<BoxFuture<'static, ()>>);

impl Future for Stop {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.poll_unpin(cx)
    }
}
