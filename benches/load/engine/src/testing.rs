//! Runs in virtual time against a peer in memory: a minute of load takes milliseconds and repeats exactly.
//!
//! ```
//! use load_engine::testing::{Load, Peer};
//!
//! let load = Load::new("name = \"short\"\n[[stage]]\nconnections = 3\nhold = \"1s\"");
//! let run = load.run(&Peer::echo()).expect("the peer is there");
//! assert_eq!(run.sum(|_| true).counts.opened, 3);
//! ```

mod peer;

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Result;
use load_plan::model::{Run, Shard};
use load_plan::profile::Profile;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::sleep;

use super::host::Host;
use super::progress::Progress;
use super::run::{RunSettings, Trust, run_over};
use super::transport::Transport;
use super::virtual_time::VirtualTime;

pub use super::memory::Pipe;
pub use super::virtual_time::START as UNIX_START;
pub use peer::{Answer, Count, Peer, PeerCounts, Socket};

/// A run in virtual time.
#[derive(Clone, Debug)]
pub struct Load {
    settings: RunSettings,
    cpus: f64,
    interrupted_after: Option<Duration>,
    starts_in: Option<Duration>,
}

impl Load {
    /// The load of a profile in TOML, by one worker.
    ///
    /// # Panics
    ///
    /// If it is not a profile.
    #[must_use]
    pub fn new(toml: &str) -> Self {
        let profile = Profile::parse(toml, "test").expect("the test has a valid profile");
        let settings = RunSettings {
            profile,
            url: "ws://memory/echo".to_owned(),
            trust: Trust::default(),
            sources: Vec::new(),
            workers: 1,
            shard: Shard { index: 0, of: 1 },
            start_at: None,
            run_id: "test".to_owned(),
        };
        Self { settings, cpus: 0.1, interrupted_after: None, starts_in: None }
    }

    /// So many workers.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.settings.workers = workers;
        self
    }

    /// Shard `index` of `of`.
    #[must_use]
    pub fn shard(mut self, index: u32, of: u32) -> Self {
        self.settings.shard = Shard { index, of };
        self
    }

    /// The generator seems to use so many processors; 0.1 by default.
    #[must_use]
    pub fn cpus(mut self, cpus: f64) -> Self {
        self.cpus = cpus;
        self
    }

    /// Interrupts the run after `time`.
    #[must_use]
    pub fn interrupted_after(mut self, time: Duration) -> Self {
        self.interrupted_after = Some(time);
        self
    }

    /// Agrees on a start in `time` from now.
    #[must_use]
    pub fn starts_in(mut self, time: Duration) -> Self {
        self.starts_in = Some(time);
        self
    }

    /// Runs it against `peer`, in a virtual time of its own.
    ///
    /// # Errors
    ///
    /// As [`super::run::run`].
    pub fn run(self, peer: &Peer) -> Result<Run> {
        in_virtual_time(self.run_beside(peer, &mut |_| {}))
    }

    /// Runs it against `peer`, as a part of a test [`in_virtual_time`]; calls `progress` once a second.
    ///
    /// # Errors
    ///
    /// As [`super::run::run`].
    pub async fn run_beside(
        mut self,
        peer: &Peer,
        progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<Run> {
        let time = VirtualTime::starting_now(self.cpus);
        self.settings.start_at = self.starts_in.map(|ahead| UNIX_EPOCH + time.unix() + ahead);
        let stop = Rc::new(AtomicBool::new(false));
        if let Some(after) = self.interrupted_after {
            let stop = Rc::clone(&stop);
            tokio::task::spawn_local(async move {
                sleep(after).await;
                stop.store(true, Relaxed);
            });
        }
        let transport = Transport::Memory(peer.listen());
        run_over(transport, Host::Virtual(time), &self.settings, &stop, progress).await
    }
}

/// Runs `test` on a paused clock, which jumps ahead to the next timer once every task waits.
///
/// # Panics
///
/// If the machine has no runtime left.
pub fn in_virtual_time<T>(test: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    LocalSet::new().block_on(&runtime.expect("a runtime without I/O"), test)
}
