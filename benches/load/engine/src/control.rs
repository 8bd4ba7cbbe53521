//! Messages between the coordinator and its workers.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use load_plan::metrics::Sample;
use load_plan::model::{ErrorSample, Phase};
use load_plan::profile::Profile;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use super::clock::Clock;
use super::endpoint::Endpoint;

/// A phase that all workers begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command {
    pub(super) stage: usize,
    pub(super) phase: Phase,
    /// Connections before.
    pub(super) from: u32,
    /// Connections after.
    pub(super) to: u32,
    /// When it begins.
    pub(super) begin_ns: u64,
    /// How long it takes to get from one number of connections to the other.
    pub(super) ramp_ns: u64,
}

impl Command {
    /// The stage whose hold this is.
    pub(super) fn hold(self) -> Option<u32> {
        (self.phase == Phase::Hold).then_some(self.stage as u32)
    }
}

/// The records of one worker for at most a second.
#[derive(Debug)]
pub(super) struct Flush {
    pub(super) worker: usize,
    pub(super) second: u64,
    pub(super) stage: usize,
    pub(super) phase: Phase,
    pub(super) length_ns: u64,
    /// The worker's connections that are open at its end.
    pub(super) open: u64,
    pub(super) sample: Sample,
}

/// Answers that came after the hold in which their messages were due.
#[derive(Debug)]
pub(super) struct LateAnswers {
    pub(super) stage: u32,
    /// The last second of the hold.
    pub(super) second: u64,
    pub(super) sample: Sample,
}

/// A message of a worker.
#[derive(Debug)]
pub(super) enum WorkerEvent {
    Flush(Box<Flush>),
    LateAnswers(Box<LateAnswers>),
    /// The worker has ended. Its error samples.
    Done(Vec<ErrorSample>),
    /// The worker itself broke.
    Broken(anyhow::Error),
}

/// Where a worker stands among the others: users are dealt to shards and workers in turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) worker: usize,
    pub(super) workers: usize,
    pub(super) shard: u32,
    pub(super) shards: u32,
    /// The lowest number of a connection, in all workers and shards.
    pub(super) first_connection: u32,
}

impl Place {
    /// Whether `user` belongs to this worker.
    pub(super) fn holds(self, user: u32) -> bool {
        user % self.shards == self.shard
            && (user / self.shards) as usize % self.workers == self.worker
    }
}

/// Everything that a worker needs.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) clock: Clock,
    pub(super) profile: Arc<Profile>,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) place: Place,
    pub(super) commands: watch::Receiver<Command>,
    pub(super) events: UnboundedSender<WorkerEvent>,
    /// Connections open on all workers.
    pub(super) open: Arc<AtomicU64>,
}
