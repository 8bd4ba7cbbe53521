//! A window with our server in it.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use plimsoll::io_count::IO;
use plimsoll::ws::MemoryPeer;
use plimsoll::{Environment, Scenario, Window};
use server::clock::ManualClock;
use server::stats::Counters;
use server::{Clock, Config, Context, Embedded};
use tokio::net::TcpListener;
use tokio::runtime;

use crate::log::{self, Lines};
use crate::snapshots::Snapshots;

/// A [`Window`] for our server, with a clock that every server in it uses. Its methods fail as the server does, or if
/// the server does not behave as they say.
#[derive(Debug)]
pub struct ServerWindow<'a> {
    window: &'a Window,
    clock: ManualClock,
    /// Lines that the server must log.
    lines: Cell<u64>,
}

impl Deref for ServerWindow<'_> {
    type Target = Window;

    fn deref(&self) -> &Window {
        self.window
    }
}

/// [`Scenario::new`] with a [`ServerWindow`], in which the server logs nothing but [`ServerWindow::logs`].
pub fn scenario<B>(unit: &'static str, ops: u64, prepare: impl Fn(u64) -> B + 'static) -> Scenario
where
    B: FnOnce(&ServerWindow<'_>) -> anyhow::Result<()> + 'static,
{
    log::observe();
    Scenario::new(unit, ops, move |ops| {
        let (body, clock) = (prepare(ops), ManualClock::default());
        move |window| {
            window.counts_all_streams();
            let (window, before) =
                (ServerWindow { window, clock, lines: Cell::new(0) }, Lines::now());
            body(&window)?;
            before.expect(window.lines.get())
        }
    })
}

impl ServerWindow<'_> {
    /// The clock of every server in this window. It moves only when advanced.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// Says that the server logs `lines` lines more in this window.
    pub fn logs(&self, lines: u64) {
        self.lines.set(self.lines.get() + lines);
    }

    /// The server's defaults, on the window's clock.
    #[must_use]
    pub fn config(&self) -> Config {
        // Time stands still: every rate would be over a limit in the end.
        let max_idle_frames = u32::MAX;
        Config { clock: Clock::Manual(self.clock.clone()), max_idle_frames, ..Config::default() }
    }

    /// Starts a server on TCP, on a thread and a current-thread runtime of its own.
    pub fn start(&self) -> anyhow::Result<Embedded> {
        self.start_with(self.config())
    }

    /// [`ServerWindow::start`] with `config`.
    pub fn start_with(&self, config: Config) -> anyhow::Result<Embedded> {
        self.start_planting(config, || ())
    }

    /// [`ServerWindow::start_with`]; `fault` runs on the server's thread at every accepted connection. Tests of the
    /// gate plant faults with it.
    pub fn start_planting(
        &self,
        config: Config,
        fault: impl Fn() + Send + 'static,
    ) -> anyhow::Result<Embedded> {
        let guard = self.server_guard();
        let started = Embedded::start_wrapped(config, move |socket| {
            let _moved_here = &guard;
            fault();
            plimsoll::count_tcp(socket)
        });
        started.context(Environment)
    }

    /// Drains and joins a server, and returns its final counters. No connection may be left open.
    pub fn stop(&self, server: Embedded) -> anyhow::Result<Counters> {
        self.joined(server, true)
    }

    /// [`ServerWindow::stop`] for a server whose drain has run out: it drops the connections that are left, and logs that.
    pub fn stop_by_kill(&self, server: Embedded) -> anyhow::Result<Counters> {
        self.logs(1);
        self.joined(server, false)
    }

    fn joined(&self, server: Embedded, drained: bool) -> anyhow::Result<Counters> {
        let stopped = server.stop()?;
        ensure!(
            stopped.report.drained == drained,
            "the drain ended with {}",
            if drained { "connections that were still open" } else { "no connection left to drop" }
        );
        self.server_stopped(stopped.alive_tasks)?;
        let counters = stopped.report.counters;
        ensure!(
            counters.connections_open + counters.echo_open + counters.dashboard_open == 0,
            "the server is gone and still counts sessions as open: {counters:?}"
        );
        Ok(counters)
    }

    /// Serves echo connections with peers in memory, one after the other, on this thread.
    pub fn serve_in_memory(
        &self,
        peers: impl IntoIterator<Item = MemoryPeer>,
    ) -> anyhow::Result<()> {
        let runtime = runtime::Builder::new_current_thread().build()?;
        let context = Context::new(self.config())?;
        for peer in peers {
            self.run(&runtime, server::serve_connection(plimsoll::count(peer), &context));
        }
        let counters = context.stats().counters();
        ensure!(
            counters.messages_out == self.ops()
                && counters.messages_in == self.ops()
                && counters.errors.iter().sum::<u64>() == 0,
            "the peer in memory did not get the expected replies: {counters:?}"
        );
        Ok(())
    }

    /// Serves one dashboard subscriber in memory, on this thread: a first snapshot, then one a tick.
    pub fn serve_ticks_in_memory(&self, tick: Duration, peer: MemoryPeer) -> anyhow::Result<()> {
        // Without tokio's timers: their work depends on the time that passes.
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        let context = Context::new(Config { tick, ..self.config() })?;
        let mut snapshots = Snapshots::new(self.clock.clone(), tick);
        let peer = peer.checking(move |write, more| snapshots.take(write, more));
        let served = self.run(&runtime, async {
            // Only a whole server has a hub. This one accepts no connection, and stops when the subscriber leaves.
            let listener =
                TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context(Environment)?;
            let connection = server::serve_connection(plimsoll::count(peer), &context);
            anyhow::Ok(
                server::serve_wrapped(listener, Arc::clone(&context), connection, |s| s).await?,
            )
        });
        let counters = served?.counters;
        ensure!(
            counters.snapshots_sent == self.ops() + 1 && counters.errors.iter().sum::<u64>() == 0,
            "the subscriber in memory did not get every snapshot: {counters:?}"
        );
        Ok(())
    }

    /// `turns` turns of traffic on `clients` open connections: in one turn each sends once and waits for the replies. The
    /// server may make no timer for it, poll no future that all connections share, and look for more input once before
    /// its replies and once after them.
    pub fn traffic(
        &self,
        server: &Embedded,
        clients: u64,
        turns: u64,
        turn: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.hold_to(server, clients, turns, 0, turn)
    }

    /// [`ServerWindow::traffic`] with a snapshot to each of `clients` in each turn, for which the hub makes a timer and
    /// polls a future that all connections share; the clock wakes every session once.
    pub fn ticks(
        &self,
        server: &Embedded,
        clients: u64,
        turns: u64,
        turn: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.hold_to(server, clients, turns, turns, turn)
    }

    /// `by_hub`: timers and polls that are not a connection's.
    fn hold_to(
        &self,
        server: &Embedded,
        clients: u64,
        turns: u64,
        by_hub: u64,
        mut turn: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        // After its first reply a connection has made the timers that it begins with.
        turn()?;
        let turns = turns - 1;
        let (timers, polls) = (self.clock.timers().made, server.shutdown_polls());
        let looks = IO.empty_reads();
        (0..turns).try_for_each(|_| turn())?;
        let now = self.clock.timers();
        if let Some(at) = now.last.filter(|_| now.made > timers + by_hub) {
            bail!("{turns} turns made {} timers, the last one at {at}", now.made - timers);
        }
        // The end of a connection's first turn may come after its reply.
        let polls = server.shutdown_polls() - polls;
        ensure!(
            polls <= clients + by_hub,
            "{turns} turns polled the futures of a shutdown {polls} times"
        );
        let looks = IO.empty_reads() - looks;
        let most = 2 * clients * turns + clients;
        ensure!(
            looks <= most,
            "{turns} turns of {clients} looked for input {looks} times, not {most}"
        );
        Ok(())
    }

    /// [`Window::wait_until`] the server has completed `reads` reads in all.
    pub fn until_read(&self, reads: u64) -> anyhow::Result<()> {
        self.wait_until("the server has read what was sent", || IO.reads() >= reads)
            .with_context(|| format!("{} reads instead of {reads}", IO.reads()))
    }

    /// [`Window::wait_until`] the server has made timer number `made` on the window's clock.
    pub fn until_timers(&self, made: u64) -> anyhow::Result<()> {
        self.wait_until("the server has made a timer", || self.clock.timers().made >= made)
    }

    /// [`Window::wait_until`] the server's counters satisfy `reached`.
    pub fn until(
        &self,
        server: &Embedded,
        event: &str,
        reached: impl Fn(&Counters) -> bool,
    ) -> anyhow::Result<()> {
        self.wait_until(event, || reached(&server.stats().counters()))
            .with_context(|| format!("{:?}", server.stats().counters()))
    }

    /// [`Window::wait_until`] `open` connections are left.
    pub fn until_open(&self, server: &Embedded, open: u64) -> anyhow::Result<()> {
        self.until(server, "the connections are gone", |counters| counters.connections_open == open)
    }
}
