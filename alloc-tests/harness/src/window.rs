//! The record of one measured run, and waits that neither sleep nor allocate.

use std::cell::Cell;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::runtime::{Builder, Runtime};

use crate::error::Environment;
use crate::io_count::IO;
use crate::profiler::Profiler;
use crate::{descriptors, system_calls};

/// Longest wait for an event that the server must produce. Not a pause: every wait polls.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Pause between two polls.
const POLL_INTERVAL: Duration = Duration::from_micros(10);

/// Where a server's thread says why it ended early; the client only sees a closed connection.
pub(crate) type Failure = Arc<Mutex<Option<String>>>;

/// One measured run of a scenario. It can hold any server: one on this thread ([`Window::run`]), or one that the
/// scenario starts on a thread of its own and reports with [`Window::server_stopped`].
///
/// ```
/// use plimsoll::{Scenario, Window, ws::Client};
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/echo.rs"));
/// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
/// fn one_connection(window: &Window, client: &mut Client) -> plimsoll::Result {
///     let server = window.serve(serve)?;
///     client.upgrade(server.addr(), "/")?;
///     client.close()?;
///     server.stop()
/// }
/// # Scenario::new("connection", 1, |_| { let mut client = Client::default(); move |window| one_connection(window, &mut client) })
/// # }).main() }
/// ```
#[derive(Debug)]
pub struct Window {
    ops: u64,
    pub(crate) alive_tasks: Cell<u64>,
    pub(crate) held_bytes: Cell<Option<u64>>,
    /// Descriptors open at the same moment, beyond those open before the window.
    pub(crate) held_fds: Cell<Option<u64>>,
    fds_before: u64,
    pub(crate) ends_with_server: bool,
    pub(crate) failure: Failure,
    has_forgotten: Cell<bool>,
    /// Threads of [`Window::serve`] that do not wait for an event.
    pub(crate) busy: Arc<AtomicUsize>,
}

impl Window {
    pub(crate) fn new(ops: u64) -> Self {
        IO.reset();
        Self {
            ops,
            alive_tasks: Cell::new(0),
            held_bytes: Cell::new(None),
            held_fds: Cell::new(None),
            fds_before: 0,
            ends_with_server: false,
            failure: Failure::default(),
            has_forgotten: Cell::new(false),
            busy: Arc::default(),
        }
    }

    /// Leaves `fds` descriptors out of those that are held.
    pub(crate) fn beyond(self, fds: usize) -> Self {
        Self { fds_before: fds as u64, ..self }
    }

    /// Ends the profile when the server returns, while its runtime still exists: tasks that were not joined are then
    /// live blocks.
    pub(crate) fn ending_with_server(self) -> Self {
        Self { ends_with_server: true, ..self }
    }

    /// Number of operations of this run.
    ///
    /// ```
    /// # use plimsoll::Scenario;
    /// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
    /// Scenario::new("number", 2, |n| move |window| Ok(assert_eq!(window.ops(), n)))
    /// # }).main() }
    /// ```
    #[must_use]
    pub fn ops(&self) -> u64 {
        self.ops
    }

    /// A guard that the server's own future must own, so that it drops as the server returns. A server of
    /// [`Window::serve`] has one. `None` in most runs; in the others the profile ends with the server, to find its leaks.
    ///
    /// ```
    /// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
    /// # plimsoll::Scenario::new("start", 1, |_| |window| {
    /// let guard = window.server_guard();
    /// let server = std::thread::spawn(move || {
    ///     let _until_it_returns = guard;
    ///     // The server runs here.
    /// });
    /// # server.join().expect("it does not panic");
    /// # window.server_stopped(0) })
    /// # }).main() }
    /// ```
    #[must_use]
    pub fn server_guard(&self) -> Option<Profiler> {
        self.ends_with_server.then(Profiler::guard)
    }

    /// Declares that every stream of the server is counted, even if none is opened: its reads and writes are measured.
    ///
    /// ```
    /// # use plimsoll::Scenario;
    /// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
    /// Scenario::new("start", 1, |_| |window| {
    ///     window.counts_all_streams();
    ///     Ok(()) // 0 reads and 0 writes, instead of none measured
    /// })
    /// # }).main() }
    /// ```
    pub fn counts_all_streams(&self) {
        IO.all_are_counted();
    }

    pub(crate) fn forgot_server(&self) {
        self.has_forgotten.set(true);
    }

    /// Whether a server was not stopped.
    pub(crate) fn has_forgotten(&self) -> bool {
        self.has_forgotten.get()
    }

    /// Why the server failed, if it did: the client only saw a closed connection.
    pub(crate) fn failure(&self) -> Option<String> {
        let failure = self.failure.lock().expect("no holder panics").take();
        failure.map(|why| format!("the server failed: {why}"))
    }

    /// Runs a server on this thread and counts the tasks that it leaves alive on `runtime`.
    ///
    /// ```
    /// use plimsoll::{Scenario, ws::{Frame, MemoryPeer}};
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/echo.rs"));
    /// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
    /// Scenario::new("message", 2, |n| {
    ///     let peer = MemoryPeer::new("/", Frame::text("hello"), n);
    ///     move |window| {
    ///         let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    ///         window.run(&runtime, echo(plimsoll::count(peer)));
    ///         Ok(())
    ///     }
    /// })
    /// # }).main() }
    /// ```
    pub fn run<F: Future>(&self, runtime: &Runtime, server: F) -> F::Output {
        system_calls::server_is_here(true);
        let output = runtime.block_on(server);
        system_calls::server_is_here(false);
        self.add_alive_tasks(runtime.metrics().num_alive_tasks());
        output
    }

    /// Records that a server on another thread, which the scenario started itself, has returned and left `alive_tasks`
    /// behind.
    ///
    /// ```
    /// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
    /// # plimsoll::Scenario::new("start", 1, |_| |window| {
    /// let server = std::thread::spawn(|| {
    ///     // A runtime with a server; it returns how many tasks are alive.
    ///     0
    /// });
    /// window.server_stopped(server.join().expect("it does not panic"))
    /// # })
    /// # }).main() }
    /// ```
    ///
    /// # Errors
    ///
    /// If a socket that it wrapped with [`count_tcp`](crate::count_tcp) has no `TCP_NODELAY`.
    pub fn server_stopped(&self, alive_tasks: usize) -> anyhow::Result<()> {
        IO.drop_waker();
        self.add_alive_tasks(alive_tasks);
        ensure!(
            IO.without_nodelay.load(Relaxed) == 0,
            "an accepted socket came without TCP_NODELAY; the listener must set it"
        );
        Ok(())
    }

    fn add_alive_tasks(&self, tasks: usize) {
        self.alive_tasks.set(self.alive_tasks.get() + tasks as u64);
    }

    /// Waits until `reached` is true, for ten seconds at most, and looks every 10 µs; `event` completes "waited until …".
    ///
    /// ```
    /// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
    /// # plimsoll::Scenario::new("start", 1, |_| |window| {
    /// # use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    /// static IS_WARM: AtomicBool = AtomicBool::new(false);
    /// let server = window.serve(async |_, stop| {
    ///     IS_WARM.store(true, Relaxed);
    ///     stop.await
    /// })?;
    /// window.wait_until("the cache is warm", || IS_WARM.load(Relaxed))?;
    /// server.stop()
    /// # })
    /// # }).main() }
    /// ```
    ///
    /// # Errors
    ///
    /// If the ten seconds pass.
    pub fn wait_until(&self, event: &str, reached: impl Fn() -> bool) -> anyhow::Result<()> {
        let start = Instant::now();
        while !reached() {
            ensure!(start.elapsed() < TIMEOUT, "timed out: waited until {event}");
            // Parking frees the processor, which may be the server's; a yield does not.
            std::thread::park_timeout(POLL_INTERVAL);
        }
        Ok(())
    }

    /// Waits until every server of [`Window::serve`] waits for events, or has ended.
    pub(crate) fn until_idle(&self) -> anyhow::Result<()> {
        let is_idle = || self.busy.load(Acquire) == 0;
        self.wait_until("the server waits for events", is_idle).context(
            "the server is busy without end: a task of it must wait for an event instead of polling",
        )
    }

    /// Records the live bytes and the open descriptors of this moment as held by open connections. A window has one such
    /// moment. A server of [`Window::serve`] is first awaited until it waits for events itself: an answer is on its way
    /// before the server has freed what it made it of.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/echo.rs"));
    /// # fn main() -> std::process::ExitCode { plimsoll::Suite::new(env!("CARGO_MANIFEST_DIR")).scenario("example_2_ops", || {
    /// # plimsoll::Scenario::new("connection", 2, |n| { let mut clients = plimsoll::ws::Client::several(n); move |window| {
    /// # let server = window.serve(serve)?;
    /// for client in &mut clients {
    ///     client.upgrade(server.addr(), "/")?;
    /// }
    /// window.hold()?; // all are open
    /// for client in &mut clients {
    ///     client.close()?;
    /// }
    /// # server.stop() } })
    /// # }).main() }
    /// ```
    ///
    /// # Errors
    ///
    /// If it was called before in this window, if the server is busy for ten seconds, or if `/proc` is not mounted.
    pub fn hold(&self) -> anyhow::Result<()> {
        ensure!(self.held_bytes.get().is_none(), "hold() was called twice in one window");
        self.until_idle()?;
        self.held_bytes.set(Some(Profiler::live_bytes()));
        let open = descriptors::count()
            .context("cannot list open descriptors; /proc must be mounted")
            .context(Environment)?;
        self.held_fds.set(Some(open.saturating_sub(self.fds_before)));
        Ok(())
    }
}

/// Runs a future on this thread, on a runtime with every driver: tokio opens some descriptors once in a process and
/// never closes them, so that they must be open before the first window.
pub(crate) fn block_on<F: Future>(future: F) -> anyhow::Result<F::Output> {
    let runtime = Builder::new_current_thread().enable_all().build();
    Ok(runtime.context("cannot start a runtime")?.block_on(future))
}
