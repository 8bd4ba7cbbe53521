//! Where the cuts of all workers become intervals. Pure.

use std::collections::BTreeMap;

use super::tender::Cut;
use load_plan::metrics::Sample;
use load_plan::model::{Interval, Phase};

/// Intervals by second, stage and phase.
#[derive(Default)]
pub(super) struct Book {
    pub(super) intervals: BTreeMap<(u64, usize, Phase), Interval>,
    /// Open connections of each worker at its last cut in an interval.
    open: BTreeMap<(u64, usize, Phase), BTreeMap<usize, u64>>,
    /// Length of an interval by worker: they run side by side.
    lengths: BTreeMap<(u64, usize, Phase), BTreeMap<usize, u64>>,
}

impl Book {
    /// One more cut; `target` connections should be open.
    pub(super) fn enter(&mut self, cut: Cut, target: u64) {
        let Cut { worker, second, stage, phase, length_ns, open, sample } = cut;
        let key = (second, stage, phase);
        if length_ns == 0
            && let Some(interval) = self.intervals.get_mut(&key)
        {
            // Answers that came after their hold.
            interval.sample.add(&sample);
            return;
        }
        let opens = self.open.entry(key).or_default();
        opens.insert(worker, open);
        let open = opens.values().sum();
        let lengths = self.lengths.entry(key).or_default();
        *lengths.entry(worker).or_default() += length_ns;
        let length_ns = lengths.values().copied().max().unwrap_or_default();
        let interval = self.intervals.entry(key).or_insert_with(|| Interval {
            second,
            stage,
            phase,
            length_ns,
            open,
            target,
            generator_cpu: 0.0,
            sample: Sample::default(),
        });
        interval.sample.add(&sample);
        (interval.open, interval.length_ns) = (open, length_ns);
    }

    /// The intervals of `second`, in which the generator took so much of the processors.
    pub(super) fn close(
        &mut self,
        second: u64,
        generator_cpu: f64,
    ) -> impl Iterator<Item = &Interval> {
        let of_second = (second, 0, Phase::Ramp)..(second + 1, 0, Phase::Ramp);
        self.intervals.range_mut(of_second).map(move |(_, interval)| {
            interval.generator_cpu = generator_cpu;
            &*interval
        })
    }
}
