use std::sync::Arc;

use hyper::server::conn::http1;
use tokio::sync::watch;

use crate::dashboard::Tick;
use crate::shutdown::Shutdown;
use crate::stats::Stats;
use crate::{Config, Error, connection};

/// What the connections of one server share.
#[derive(Debug)]
pub struct Context {
    pub(crate) config: Config,
    pub(crate) stats: Stats,
    pub(crate) shutdown: Shutdown,
    /// One for all connections: it holds the timer.
    pub(crate) http: http1::Builder,
    /// The newest snapshot; the hub writes it, subscribers wait for it.
    pub(crate) ticks: watch::Sender<Tick>,
}

impl Context {
    /// # Errors
    ///
    /// [`Error::Config`] if `config` cannot be served with.
    pub fn new(config: Config) -> Result<Arc<Self>, Error> {
        config.check()?;
        Ok(Arc::new(Self {
            stats: Stats::new(config.max_connections),
            ticks: watch::Sender::new(Tick::default()),
            shutdown: Shutdown::default(),
            http: connection::http(&config.clock),
            config,
        }))
    }

    /// The live counters.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }
}
