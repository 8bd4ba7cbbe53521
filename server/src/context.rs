use std::sync::{Arc, Mutex};

use hyper::server::conn::http1;

use crate::dashboard::Board;
use crate::history::History;
use crate::process::{Files, Process};
use crate::shutdown::Shutdown;
use crate::stats::Stats;
use crate::{Clock, Config, Error};

/// The source of the numbers on the page.
#[derive(Debug)]
pub(crate) enum Feed {
    /// The server's own: the hub publishes a snapshot every tick.
    Server,
    /// [`crate::Live`], which also keeps a history. Such a server neither echoes nor has metrics.
    Published(Box<Mutex<History>>),
}

/// The state that all connections of one server share.
#[derive(Debug)]
pub struct Context {
    pub(crate) config: Config,
    pub(crate) stats: Stats,
    pub(crate) shutdown: Shutdown,
    /// One for all connections: it holds the timer.
    pub(crate) http: http1::Builder,
    pub(crate) feed: Feed,
    files: Files,
    /// The hub or [`crate::Live`] writes it, subscribers wait for it.
    pub(crate) board: Board,
}

impl Context {
    /// # Errors
    ///
    /// [`Error::Config`] if `config` cannot be served with.
    pub fn new(config: Config) -> Result<Arc<Self>, Error> {
        Self::with_feed(config, Feed::Server)
    }

    pub(crate) fn with_feed(config: Config, feed: Feed) -> Result<Arc<Self>, Error> {
        config.check()?;
        Ok(Arc::new(Self {
            stats: Stats::new(config.max_connections),
            board: Board::default(),
            shutdown: Shutdown::default(),
            http: config.http(),
            feed,
            files: Files::open(),
            config,
        }))
    }

    /// The process now. A test that holds the clock wants every run to be like the last: the system is asked all the
    /// same, and nothing is told.
    pub(crate) fn process(&self) -> Process {
        let process = self.files.read();
        match self.config.clock {
            Clock::Real(_) => process,
            Clock::Manual(_) => Process::default(),
        }
    }

    /// The live counters.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }
}
