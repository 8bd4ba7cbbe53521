//! Numbers that tell the connections of a run from each other. Pure.

use std::cell::Cell;

use super::control::Place;

/// The first number of the probe load, whose answers may still be on their way in the run.
pub(super) const PROBE: u32 = 1 << 31;

/// The numbers of one worker's connections. No two connections share one, in all workers of all shards: a shard deals its
/// numbers to its workers in turn, so that shards need not have the same number of workers.
///
/// The numbers begin again after 2³² connections, which are five days of ten thousand a second.
#[derive(Debug)]
pub(super) struct ConnectionNumbers {
    next: Cell<u32>,
    step: u32,
}

impl ConnectionNumbers {
    /// The numbers of the worker at `place`.
    pub(super) fn of(Place { worker, workers, shard, shards, first_connection }: Place) -> Self {
        let of_shard = (worker as u32).wrapping_mul(shards).wrapping_add(shard);
        Self {
            next: Cell::new(first_connection.wrapping_add(of_shard)),
            step: (workers as u32).wrapping_mul(shards),
        }
    }

    /// The number of the next connection.
    pub(super) fn draw(&self) -> u32 {
        let next = self.next.get();
        self.next.set(next.wrapping_add(self.step));
        next
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn connections_of_shards_with_different_numbers_of_workers_share_no_number() {
        let mut seen = HashSet::new();
        for (shard, workers) in [(0, 1), (1, 20), (2, 7)] {
            for worker in 0..workers {
                let place = Place { worker, workers, shard, shards: 3, first_connection: 0 };
                let numbers = ConnectionNumbers::of(place);
                assert!((0..1000).all(|_| seen.insert(numbers.draw())), "{place:?}");
            }
        }
    }

    #[test]
    fn connections_of_the_probe_load_and_of_the_run_share_no_number() {
        let [probe, run] = [PROBE, 0].map(|first_connection| {
            let place = Place { worker: 1, workers: 2, shard: 0, shards: 1, first_connection };
            let numbers = ConnectionNumbers::of(place);
            (0..1000).map(|_| numbers.draw()).collect::<HashSet<_>>()
        });
        assert!(probe.is_disjoint(&run));
    }
}
