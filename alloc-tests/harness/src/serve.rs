//! A server on a thread of its own, inside a window.

use std::any::Any;
use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Release;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use futures::channel::oneshot;
use futures::future::FutureExt;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::Environment;
use crate::client::Client;
use crate::clock;
use crate::io_count::IO;
use crate::listener::{Listener, Stop};
use crate::profiler::Profiler;
use crate::window::Window;

/// Longest time without a change in which tasks may still end after their server.
const SETTLE: Duration = Duration::from_millis(50);

/// What a server returns: nothing, or a result.
///
/// ```
/// use plimsoll::Served;
///
/// assert_eq!(().into_error(), None);
/// let failed: Result<(), _> = Err("the database is gone");
/// assert_eq!(failed.into_error().as_deref(), Some("the database is gone"));
/// ```
pub trait Served {
    /// The error in words, with its causes, if it is one.
    ///
    /// ```
    /// # use plimsoll::Served;
    /// assert_eq!(Err::<(), _>("no room").into_error().as_deref(), Some("no room"));
    /// ```
    fn into_error(self) -> Option<String>;
}

impl Served for () {
    fn into_error(self) -> Option<String> {
        None
    }
}

impl<T, E: Display> Served for Result<T, E> {
    fn into_error(self) -> Option<String> {
        self.err().map(|error| format!("{error:#}"))
    }
}

/// A running server. [`Server::stop`] must end it.
///
/// ```
/// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
/// # plimsoll::Scenario::new("start", 1, |_| |window| {
/// let server = window.serve(async |_, stop| stop.await)?;
/// assert!(server.addr().ip().is_loopback());
/// server.stop()
/// # })
/// # }).main() }
/// ```
#[derive(Debug)]
#[must_use = "call stop() at the end of the scenario"]
pub struct Server<'a> {
    window: &'a Window,
    addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<anyhow::Result<usize>>>,
}

impl Window {
    /// Starts a server on a thread and a current-thread runtime of its own, with every driver of tokio. `serve` gets its
    /// port and its signal to stop. Frameworks that take only tokio's own listener get [`Listener::into_tokio`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/echo.rs"));
    /// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
    /// # plimsoll::Scenario::new("connection", 2, |n| { let mut client = plimsoll::ws::Client::default(); move |window| {
    /// let server = window.serve(async |listener, stop| {
    ///     loop {
    ///         tokio::select! {
    ///             () = stop.clone() => return std::io::Result::Ok(()),
    ///             accepted = listener.accept() => drop(tokio::spawn(echo(accepted?.0))),
    ///         }
    ///     }
    /// })?;
    /// # for _ in 0..n { client.upgrade(server.addr(), "/")?; client.close()?; }
    /// server.stop()
    /// # } })
    /// # }).main() }
    /// ```
    ///
    /// # Errors
    ///
    /// If this machine has no port or thread left, marked as [`Environment`].
    pub fn serve<F, Fut>(&self, serve: F) -> anyhow::Result<Server<'_>>
    where
        F: FnOnce(Listener, Stop) -> Fut + Send + 'static,
        Fut: Future<Output: Served>,
    {
        let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let socket = socket.context("cannot listen on a free port").context(Environment)?;
        socket.set_nonblocking(true)?;
        let addr = socket.local_addr()?;
        IO.set_unserved(true);
        let (stop, stopped) = oneshot::channel();
        let stopped = Stop(stopped.map(drop).boxed().shared());
        let failure = Arc::clone(&self.failure);
        let guard = self.server_guard();
        let busy = Arc::clone(&self.busy);
        busy.fetch_add(1, Release);
        let run = move || {
            let idle = Arc::clone(&busy);
            let ran = catch_unwind(AssertUnwindSafe(|| run(socket, stopped, guard, busy, serve)));
            idle.fetch_sub(1, Release);
            let ran = ran.unwrap_or_else(|panic| Err(anyhow!("it panicked: {}", words(&*panic))));
            if let Err(error) = &ran {
                *failure.lock().expect("no holder panics") = Some(format!("{error:#}"));
            }
            ran
        };
        let thread = std::thread::Builder::new().name("server".to_owned()).spawn(run);
        let thread = thread.context("cannot start a thread for the server").context(Environment)?;
        Ok(Server { window: self, addr, stop: Some(stop), thread: Some(thread) })
    }
}

/// The whole life of a server; returns the number of tasks that it leaves alive.
fn run<F, Fut>(
    socket: std::net::TcpListener,
    stop: Stop,
    guard: Option<Profiler>,
    busy: Arc<AtomicUsize>,
    serve: F,
) -> anyhow::Result<usize>
where
    F: FnOnce(Listener, Stop) -> Fut,
    Fut: Future<Output: Served>,
{
    let awake = Arc::clone(&busy);
    let runtime = Builder::new_current_thread()
        .enable_all()
        .on_thread_park(move || _ = busy.fetch_sub(1, Release))
        .on_thread_unpark(move || _ = awake.fetch_add(1, Release))
        .build();
    let runtime = runtime.context("cannot start a runtime")?;
    let listener = {
        let _entered = runtime.enter();
        Listener(TcpListener::from_std(socket)?)
    };
    let error = runtime.block_on(serve(listener, stop)).into_error();
    let alive = settle(&runtime);
    // The profile may end here, while the tasks still exist.
    drop(guard);
    drop(runtime);
    match error {
        Some(error) => bail!("it ended with an error: {error}"),
        None => Ok(alive),
    }
}

/// Lets tasks end that need no more events from outside; returns the number of those that stay.
fn settle(runtime: &Runtime) -> usize {
    let alive = || runtime.metrics().num_alive_tasks();
    clock::run_here();
    runtime.block_on(async {
        let (mut left, mut since) = (alive(), Instant::now());
        while left > 0 && since.elapsed() < SETTLE {
            tokio::task::yield_now().await;
            if alive() != left {
                (left, since) = (alive(), Instant::now());
            }
        }
    });
    alive()
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

impl Server<'_> {
    /// Where it listens.
    ///
    /// ```
    /// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
    /// # plimsoll::Scenario::new("start", 1, |_| |window| {
    /// # let server = window.serve(async |_, stop| stop.await)?;
    /// assert_ne!(server.addr().port(), 0);
    /// # server.stop() })
    /// # }).main() }
    /// ```
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Connects `client`, and waits until the server has accepted it and waits for its first byte: otherwise it would
    /// depend on the two threads whether the request is there already. Accepts of tokio's own listener are not seen.
    pub(crate) fn connect(&self, client: &mut Client) -> anyhow::Result<()> {
        let before = IO.accepted();
        client.connect(self.addr)?;
        // The server may take tokio's listener meanwhile.
        let is_accepted = || IO.accepted().is_none_or(|now| before.is_none_or(|one| now > one));
        self.window.wait_until("the server accepts", is_accepted)?;
        self.window.until_idle()
    }

    /// Waits until it waits for events, resolves its [`Stop`], and waits until it has returned, each for ten seconds at
    /// most.
    ///
    /// ```
    /// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
    /// # plimsoll::Scenario::new("start", 1, |_| |window| {
    /// let server = window.serve(async |_, stop| {
    ///     stop.await;
    ///     Err::<(), _>("the database is gone")
    /// })?;
    /// let error = server.stop().unwrap_err();
    /// assert!(format!("{error:#}").ends_with("the database is gone"));
    /// # Ok(()) })
    /// # }).main() }
    /// ```
    ///
    /// # Errors
    ///
    /// If it does not return, panicked, or returned an error.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let (Some(stop), Some(thread)) = (self.stop.take(), self.thread.take()) else {
            bail!("the server was stopped before");
        };
        // Otherwise it would depend on the two threads whether it finds the signal before it first waits for it.
        self.window.until_idle()?;
        // A server that has ended does not listen any more; its result says why.
        _ = stop.send(());
        let waited = self.window.wait_until("the server returns", || thread.is_finished());
        waited.context(
            "the server does not stop: its future must end when `stop` resolves (axum: with_graceful_shutdown(stop)); \
             one that cannot is started once in a process, outside of the window",
        )?;
        let ended = thread.join().map_err(|_| anyhow!("the server's thread panicked"))?;
        // The result says it as well.
        drop(self.window.failure());
        self.window.server_stopped(ended.context("the server failed")?)
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.window.forgot_server();
        // A scenario that fails early leaves it running. Its descriptors are no leak, and its thread may know why.
        drop(self.stop.take());
        drop(self.window.wait_until("the server returns", || thread.is_finished()));
    }
}
