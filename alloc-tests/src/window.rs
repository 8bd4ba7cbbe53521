//! What a scenario is given while it is measured: servers, a clock, and ways to wait that neither sleep nor allocate.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use server::clock::ManualClock;
use server::stats::Counters;
use server::{Clock, Config, Context, Embedded};
use tokio::net::TcpListener;
use tokio::runtime;

use crate::io_count::IO;
use crate::measure::Environment;
use crate::memory::MemoryPeer;
use crate::profiler::Profiler;

/// Longest wait for something the server must do anyway. A backstop, not a pause: nothing sleeps.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pause between two looks at what is waited for.
const BLINK: Duration = Duration::from_micros(10);

/// One measured run of a scenario.
#[derive(Debug)]
pub struct Window {
    ops: u64,
    clock: ManualClock,
    alive_tasks: Cell<u64>,
    held_bytes: Cell<Option<u64>>,
    ends_with_server: bool,
}

impl Window {
    /// A window of `ops` operations.
    pub(crate) fn new(ops: u64) -> Self {
        IO.reset();
        Self {
            ops,
            clock: ManualClock::default(),
            alive_tasks: Cell::new(0),
            held_bytes: Cell::new(None),
            ends_with_server: false,
        }
    }

    /// The profile ends as the first server has returned and its runtime still stands, so that tasks which nobody
    /// joined are live blocks in it.
    pub(crate) fn ending_with_server(self) -> Self {
        Self { ends_with_server: true, ..self }
    }

    /// How many messages, connections or ticks this run makes.
    #[must_use]
    pub fn ops(&self) -> u64 {
        self.ops
    }

    /// The clock of every server in this window: it stands still until it is advanced.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// The defaults of a real server, on the window's clock.
    #[must_use]
    pub fn config(&self) -> Config {
        Config { clock: Clock::Manual(self.clock.clone()), ..Config::default() }
    }

    /// A server on TCP with a thread and a current-thread runtime of its own.
    ///
    /// # Errors
    ///
    /// The server's own.
    pub fn start(&self) -> anyhow::Result<Embedded> {
        self.start_with(self.config())
    }

    /// [`Window::start`] with something other than the defaults.
    ///
    /// # Errors
    ///
    /// The server's own.
    pub fn start_with(&self, config: Config) -> anyhow::Result<Embedded> {
        self.start_planting(config, || ())
    }

    /// [`Window::start_with`], and `fault` happens on the server's thread at every accepted connection: how the gate is
    /// shown what it must turn red at.
    ///
    /// # Errors
    ///
    /// The server's own.
    pub fn start_planting(
        &self,
        config: Config,
        fault: impl Fn() + Send + 'static,
    ) -> anyhow::Result<Embedded> {
        let end = self.ends_with_server.then(Profiler::end_on_drop);
        let started = Embedded::start_wrapped(config, move |socket| {
            let _moved_here = &end;
            fault();
            IO.wrap_tcp(socket)
        });
        started.context(Environment)
    }

    /// Drains and joins a server; what it counted.
    ///
    /// # Errors
    ///
    /// If it did not end well, or not every connection ended by itself.
    pub fn stop(&self, server: Embedded) -> anyhow::Result<Counters> {
        let stopped = server.stop()?;
        IO.forget_blocked();
        self.alive_tasks.set(self.alive_tasks.get() + stopped.alive_tasks as u64);
        ensure!(stopped.report.drained, "connections were still open when the drain ended");
        ensure!(
            IO.nagled() == 0,
            "an accepted socket came without TCP_NODELAY; the listener must set it"
        );
        let counters = stopped.report.counters;
        ensure!(
            counters.connections_open + counters.echo_open + counters.dashboard_open == 0,
            "the server is gone and still counts sessions as open: {counters:?}"
        );
        Ok(counters)
    }

    /// Serves one connection after the other whose peer is in memory, on this thread.
    ///
    /// # Errors
    ///
    /// If a peer was not answered as it should be.
    pub fn serve_in_memory(
        &self,
        peers: impl IntoIterator<Item = MemoryPeer>,
    ) -> anyhow::Result<()> {
        let runtime = runtime::Builder::new_current_thread().build()?;
        let context = Context::new(self.config())?;
        for peer in peers {
            runtime.block_on(server::serve_connection(IO.wrap(peer), &context));
        }
        self.alive_tasks.set(self.alive_tasks.get() + runtime.metrics().num_alive_tasks() as u64);
        let counters = context.stats().counters();
        ensure!(
            counters.messages_out == self.ops
                && counters.messages_in == self.ops
                && counters.errors.iter().sum::<u64>() == 0,
            "the peer in memory was not answered as it should be: {counters:?}"
        );
        Ok(())
    }

    /// Serves one subscriber that is in memory, on this thread: a first snapshot, then one a tick.
    ///
    /// # Errors
    ///
    /// If it was not given each of them.
    pub fn serve_ticks_in_memory(&self, tick: Duration, peer: MemoryPeer) -> anyhow::Result<()> {
        // Without tokio's timers: what they do depends on how long the machine takes.
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        let context = Context::new(Config { tick, ..self.config() })?;
        let peer = peer.taking_snapshots(self.clock.clone(), tick);
        let report = runtime.block_on(async {
            // Only a whole server has a hub. Nobody knocks here, and it stops as the subscriber leaves.
            let listener =
                TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context(Environment)?;
            let connection = server::serve_connection(IO.wrap(peer), &context);
            anyhow::Ok(
                server::serve_wrapped(listener, Arc::clone(&context), connection, |s| s).await?,
            )
        })?;
        self.alive_tasks.set(self.alive_tasks.get() + runtime.metrics().num_alive_tasks() as u64);
        let counters = report.counters;
        ensure!(
            counters.snapshots_sent == self.ops + 1 && counters.errors.iter().sum::<u64>() == 0,
            "the subscriber in memory was not given every snapshot: {counters:?}"
        );
        Ok(())
    }

    /// Waits until the server has counted what it must count.
    ///
    /// # Errors
    ///
    /// If it has not within ten seconds.
    pub fn until(
        &self,
        server: &Embedded,
        what: &str,
        reached: impl Fn(&Counters) -> bool,
    ) -> anyhow::Result<()> {
        patiently(what, || reached(&server.stats().counters()))
            .with_context(|| format!("{:?}", server.stats().counters()))
    }

    /// Waits until `open` connections are left.
    ///
    /// # Errors
    ///
    /// As [`Window::until`].
    pub fn until_open(&self, server: &Embedded, open: u64) -> anyhow::Result<()> {
        self.until(server, "the connections are gone", |counters| counters.connections_open == open)
    }

    /// Waits until the server has completed `reads` reads in all.
    ///
    /// # Errors
    ///
    /// As [`Window::until`].
    pub fn until_read(&self, reads: u64) -> anyhow::Result<()> {
        patiently("the server has read what was sent", || IO.reads() >= reads)
    }

    /// Notes the live heap at this moment: what a server costs that holds connections and has nothing to do.
    ///
    /// # Errors
    ///
    /// If it was noted before.
    pub fn hold(&self) -> anyhow::Result<()> {
        ensure!(self.held_bytes.get().is_none(), "a window has one moment of holding");
        self.held_bytes.set(Some(Profiler::live_bytes()));
        Ok(())
    }

    pub(crate) fn ends_with_server(&self) -> bool {
        self.ends_with_server
    }

    pub(crate) fn alive_tasks(&self) -> u64 {
        self.alive_tasks.get()
    }

    pub(crate) fn held_bytes(&self) -> Option<u64> {
        self.held_bytes.get()
    }
}

fn patiently(what: &str, reached: impl Fn() -> bool) -> anyhow::Result<()> {
    let start = Instant::now();
    while !reached() {
        ensure!(start.elapsed() < PATIENCE, "waited in vain until {what}");
        // Gives the processor away, which a yield does not where the server shares it.
        std::thread::park_timeout(BLINK);
    }
    Ok(())
}

/// Runs a future on this thread.
///
/// The runtime has every driver: what tokio opens once in a process and never closes is open before the first window.
///
/// # Errors
///
/// If there is no runtime to be had.
pub fn block_on<F: Future>(future: F) -> anyhow::Result<F::Output> {
    Ok(runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start a runtime")?
        .block_on(future))
}
