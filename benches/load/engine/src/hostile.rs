//! Hostile peers: each provocation has a connection of its own, while the healthy connections are measured.

mod provocation;

use std::rc::Rc;
use std::sync::Arc;

use load_plan::profile::Provocation;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::control::Place;
use super::worker_state::WorkerState;
use provocation::{Reaction, attempt};

/// Provocations under way at a time: those that wait must not use up the descriptors.
pub(super) const AT_ONCE: usize = 256;

/// Starts this shard's part of the profile's provocations.
pub(super) fn start(worker: &Rc<WorkerState>, place: Place) {
    let Some(hostile) = worker.profile.conduct.hostile.clone() else { return };
    let gap_ns = (1e9 * f64::from(place.shards) / hostile.rate) as u64;
    let kinds = if hostile.kinds.is_empty() { Provocation::ALL.to_vec() } else { hostile.kinds };
    worker.spawn(provoke_all(Rc::clone(worker), kinds, gap_ns));
}

/// Begins a provocation every `gap_ns` nanoseconds, of each kind in turn.
async fn provoke_all(worker: Rc<WorkerState>, kinds: Vec<Provocation>, gap_ns: u64) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    for kind in kinds.into_iter().cycle() {
        worker.pause(gap_ns).await;
        if worker.is_draining() {
            break;
        }
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            worker.spawn(provoke(Rc::clone(&worker), kind, place));
        }
    }
}

async fn provoke(worker: Rc<WorkerState>, kind: Provocation, _place: OwnedSemaphorePermit) {
    worker.count(|counts| counts.provoked += 1);
    let tried = tokio::select! {
        tried = attempt(&worker.endpoint, kind) => tried,
        () = worker.draining() => return,
    };
    let (is_good, words) = match tried {
        Ok(Reaction { is_good, words }) => (is_good, words),
        // Healthy clients would be refused too.
        Err(problem) => (false, problem.words),
    };
    if !is_good {
        worker.count(|counts| counts.provoked_badly += 1);
    }
    worker.note("provoked", &format!("{}: {words}", kind.name()));
}
