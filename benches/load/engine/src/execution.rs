//! One pass through a profile: starts the workers, has them led, and waits for their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use anyhow::Result;
use load_plan::model::{Phase, Shard};
use load_plan::profile::Profile;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::watch;
use tokio::time::Instant;

use super::clock::Clock;
use super::control::{Command, Place, Start};
use super::coordinator::{Recording, Workers, lead};
use super::endpoint::Endpoint;
use super::host::Host;
use super::progress::Progress;
use super::worker::work;

/// Time for the workers to begin.
const BEGIN: Duration = Duration::from_millis(20);

/// The surroundings in which a profile is executed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Execution<'a> {
    pub(super) host: Host,
    pub(super) endpoint: &'a Arc<Endpoint>,
    pub(super) workers: usize,
    pub(super) shard: Shard,
    /// The lowest number of a connection.
    pub(super) first_connection: u32,
    pub(super) stop: &'a AtomicBool,
}

impl Execution<'_> {
    /// Executes `profile`. Starts at `start_at`, in wall-clock time since 1970, or at once.
    ///
    /// # Errors
    ///
    /// If a worker cannot be started, breaks, or does not end in time.
    pub(super) async fn execute(
        &self,
        profile: &Profile,
        start_at: Option<Duration>,
        progress: &mut dyn FnMut(&Progress<'_>),
    ) -> Result<Recording> {
        let ahead = start_at.and_then(|at| at.checked_sub(self.host.unix()));
        let clock = Clock::starting_at(self.host, Instant::now() + ahead.unwrap_or(BEGIN));
        let first =
            Command { stage: 0, phase: Phase::Ramp, from: 0, to: 0, begin_ns: 0, ramp_ns: 0 };
        let (commands, receiver) = watch::channel(first);
        let (sender, events) = unbounded_channel();
        let open = Arc::new(AtomicU64::new(0));
        let profile = Arc::new(profile.clone());
        let start = |worker| {
            let shard = self.shard;
            let start = Start {
                clock,
                profile: Arc::clone(&profile),
                endpoint: Arc::clone(self.endpoint),
                place: Place {
                    worker,
                    workers: self.workers,
                    shard: shard.index,
                    shards: shard.of,
                    first_connection: self.first_connection,
                },
                commands: receiver.clone(),
                events: sender.clone(),
                open: Arc::clone(&open),
            };
            self.host.spawn(format!("worker {worker}"), move || work(start))
        };
        let running = (0..self.workers).map(start).collect::<Result<Vec<_>>>()?;
        drop(sender);
        let workers = Workers { count: self.workers, commands, events, open };
        let recording = lead(workers, &profile, self.shard, clock, self.stop, progress).await;
        for worker in running {
            worker.join().await?;
        }
        recording
    }
}
