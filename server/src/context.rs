use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use hyper::server::conn::http1;

use crate::allocations::{self, Allocations};
use crate::dashboard::{Board, Pulse};
use crate::history::{self, History};
use crate::process::{Files, Process};
use crate::shutdown::Shutdown;
use crate::stats::{ErrorKind, Stats};
use crate::{Clock, Config, Error};

/// The source of the numbers on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feed {
    /// The server's own: the hub publishes a snapshot every tick.
    Server,
    /// [`crate::LivePage`]. Such a server neither echoes nor has metrics.
    Published,
}

/// The state that all connections of one server share.
#[derive(Debug)]
pub struct Context {
    pub(crate) config: Config,
    pub(crate) stats: Stats,
    pub(crate) shutdown: Shutdown,
    /// Shared, because it holds the timer.
    pub(crate) http: http1::Builder,
    pub(crate) feed: Feed,
    files: Files,
    /// The address that a listener serves; none for a stream without a listener.
    bound: OnceLock<IpAddr>,
    /// Written by the hub or by [`crate::LivePage`]; subscribers wait for it.
    pub(crate) board: Board,
    pub(crate) pulse: Pulse,
    /// What the page draws when it opens late; written beside the board.
    pub(crate) history: Mutex<History>,
}

impl Context {
    /// # Errors
    ///
    /// As [`Config::check`].
    pub fn new(config: Config) -> Result<Arc<Self>, Error> {
        Self::with_feed(config, Feed::Server, history::SERVER)
    }

    pub(crate) fn with_feed(
        config: Config,
        feed: Feed,
        series: &'static [&'static str],
    ) -> Result<Arc<Self>, Error> {
        config.check()?;
        Ok(Arc::new(Self {
            stats: Stats::new(config.max_connections),
            board: Board::default(),
            pulse: Pulse::at(config.clock.now()),
            shutdown: Shutdown::default(),
            http: config.http(),
            feed,
            history: Mutex::new(History::new(series)),
            files: Files::open(),
            bound: OnceLock::new(),
            config,
        }))
    }

    /// Says on which address it is served.
    ///
    /// # Errors
    ///
    /// [`Error::Exposed`] as [`crate::Access::check_bind`].
    pub(crate) fn bind_to(&self, addr: SocketAddr) -> Result<(), Error> {
        self.config.access.check_bind(addr)?;
        self.bound.get_or_init(|| addr.ip());
        Ok(())
    }

    pub(crate) fn bound(&self) -> Option<IpAddr> {
        self.bound.get().copied()
    }

    /// Takes note of a panic that was caught. The panic's own message, with its place, is on stderr.
    pub(crate) fn panicked(&self, who: &str) {
        self.stats.error(ErrorKind::Internal);
        tracing::error!("{who} panicked; the message is on stderr");
    }

    /// The time without a snapshot, if the hub should have published one. A drain has no snapshots, and a
    /// [`crate::LivePage`] no hub: its program publishes when it has something to show.
    pub(crate) fn hub_silence(&self) -> Option<Duration> {
        if self.feed == Feed::Published || self.shutdown.drain.is_fired() {
            return None;
        }
        self.pulse.silence(self.config.clock.now(), self.config.tick)
    }

    /// Begins a drain of the connections that are served with this context, as [`crate::serve`] does at its shutdown.
    /// Those that wait for a request stay open, and their next answer is their last.
    pub fn drain(&self) {
        self.shutdown.drain.fire();
    }

    /// The process now. With a manual clock the answer is empty, so that all runs of a test are alike; the system calls
    /// are made all the same.
    pub(crate) fn process(&self) -> Process {
        let process = self.files.read();
        match self.config.clock {
            Clock::Real(_) => process,
            Clock::Manual(_) => Process::default(),
        }
    }

    /// The process's allocations so far, `None` if its allocator does not count. With a manual clock they are all 0, so
    /// that all runs of a test are alike, and as long as those of the binary.
    pub(crate) fn allocations(&self) -> Option<Allocations> {
        let allocations = allocations::current();
        match self.config.clock {
            Clock::Real(_) => allocations,
            Clock::Manual(_) => Some(Allocations::default()),
        }
    }

    /// The number of the newest snapshot. It changes with every [`Config::tick`] until the drain begins, unless the
    /// server hangs.
    #[must_use]
    pub fn snapshots_published(&self) -> u64 {
        self.board.newest().seq
    }

    /// Whether the drain has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.shutdown.drain.is_fired()
    }

    /// The live counters.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn only_a_server_that_is_not_draining_needs_a_hub() {
        let clock = ManualClock::default();
        let config = Config { clock: Clock::Manual(clock.clone()), ..Config::default() };
        let server = Context::new(config.clone()).expect("the defaults are right");
        let live =
            Context::with_feed(config, Feed::Published, &[]).expect("the defaults are right");
        for silence in [None, Some(Duration::from_secs(120))] {
            clock.advance(Duration::from_secs(60));
            assert_eq!((server.hub_silence(), live.hub_silence()), (silence, None));
        }
        server.shutdown.drain.fire();
        assert_eq!(server.hub_silence(), None);
    }
}
