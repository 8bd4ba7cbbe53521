//! Makes intervals of the records that workers flush. Pure.

use std::collections::BTreeMap;

use load_plan::metrics::Sample;
use load_plan::model::{Interval, Phase};

use super::control::{Flush, LateAnswers};

type Key = (u64, usize, Phase);

/// Intervals by second, stage and phase.
#[derive(Debug, Default)]
pub(super) struct Intervals {
    intervals: BTreeMap<Key, Interval>,
    /// Each worker's share of an interval.
    workers: BTreeMap<Key, BTreeMap<usize, Share>>,
    /// Processors that the generator used in each second that is closed.
    cpu: BTreeMap<u64, f64>,
}

/// One worker's share of an interval.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    /// Connections open at the worker's last flush.
    open: u64,
    /// Workers run side by side: the longest share is the interval's length.
    length_ns: u64,
}

impl Intervals {
    /// Adds the records of a worker; `target` connections should be open.
    pub(super) fn add(&mut self, flush: &Flush, target: u64) {
        let key = (flush.second, flush.stage, flush.phase);
        let workers = self.workers.entry(key).or_default();
        let share = workers.entry(flush.worker).or_default();
        share.open = flush.open;
        share.length_ns += flush.length_ns;
        let open = workers.values().map(|share| share.open).sum();
        let length_ns = workers.values().map(|share| share.length_ns).max().unwrap_or_default();
        let interval = self.interval(key);
        (interval.open, interval.length_ns, interval.target) = (open, length_ns, target);
        interval.sample.add(&flush.sample);
    }

    /// Adds answers to the hold that their messages belong to.
    pub(super) fn add_late(&mut self, late: &LateAnswers) {
        let key = (late.second, late.stage as usize, Phase::Hold);
        self.interval(key).sample.add(&late.sample);
    }

    /// An interval, which is new if its worker was late to flush it: its second may be closed.
    fn interval(&mut self, key: Key) -> &mut Interval {
        let cpu = self.cpu.get(&key.0).copied().unwrap_or_default();
        self.intervals.entry(key).or_insert_with(|| empty(key, cpu))
    }

    /// The intervals of `second`, in which the generator used `generator_cpu` processors.
    pub(super) fn close(
        &mut self,
        second: u64,
        generator_cpu: f64,
    ) -> impl Iterator<Item = &Interval> {
        self.cpu.insert(second, generator_cpu);
        let of_second = (second, 0, Phase::Ramp)..(second + 1, 0, Phase::Ramp);
        self.intervals.range_mut(of_second).map(move |(_, interval)| {
            interval.generator_cpu = generator_cpu;
            &*interval
        })
    }

    /// All of them, in order of time.
    pub(super) fn into_list(self) -> Vec<Interval> {
        self.intervals.into_values().collect()
    }
}

fn empty((second, stage, phase): Key, generator_cpu: f64) -> Interval {
    Interval {
        second,
        stage,
        phase,
        length_ns: 0,
        open: 0,
        target: 0,
        generator_cpu,
        sample: Sample::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flush(worker: usize, second: u64, phase: Phase, length_ns: u64, open: u64) -> Flush {
        let mut sample = Sample::default();
        sample.counts.sent = 1;
        Flush { worker, second, stage: 0, phase, length_ns, open, sample }
    }

    #[test]
    fn workers_of_one_interval_run_side_by_side() {
        let mut intervals = Intervals::default();
        intervals.add(&flush(0, 0, Phase::Hold, 900, 4), 9);
        intervals.add(&flush(1, 0, Phase::Hold, 1000, 5), 9);
        let interval = &intervals.into_list()[0];
        assert_eq!((interval.length_ns, interval.open, interval.target), (1000, 9, 9));
        assert_eq!(interval.sample.counts.sent, 2);
    }

    #[test]
    fn a_second_flush_of_a_worker_lengthens_its_interval_and_replaces_its_open_connections() {
        let mut intervals = Intervals::default();
        intervals.add(&flush(0, 0, Phase::Hold, 300, 4), 9);
        intervals.add(&flush(0, 0, Phase::Hold, 200, 3), 9);
        let interval = &intervals.into_list()[0];
        assert_eq!((interval.length_ns, interval.open), (500, 3));
    }

    #[test]
    fn late_answers_are_added_to_the_last_second_of_their_hold_and_do_not_lengthen_it() {
        let mut intervals = Intervals::default();
        intervals.add(&flush(0, 1, Phase::Hold, 1000, 1), 1);
        intervals.add(&flush(0, 2, Phase::Drain, 500, 1), 0);
        let mut sample = Sample::default();
        sample.counts.received = 3;
        intervals.add_late(&LateAnswers { stage: 0, second: 1, sample });
        let list = intervals.into_list();
        assert_eq!(list.len(), 2);
        assert_eq!((list[0].length_ns, list[0].sample.counts.received), (1000, 3));
    }

    #[test]
    fn records_that_come_after_their_second_is_closed_have_its_processor_time() {
        let mut intervals = Intervals::default();
        intervals.close(1, 0.95).for_each(drop);
        intervals.add(&flush(0, 1, Phase::Hold, 1000, 1), 1);
        intervals.add_late(&LateAnswers { stage: 1, second: 1, sample: Sample::default() });
        let cpus: Vec<f64> = intervals.into_list().iter().map(|at| at.generator_cpu).collect();
        assert_eq!(cpus, [0.95, 0.95]);
    }

    #[test]
    fn a_second_is_closed_in_all_its_stages_and_phases() {
        let mut intervals = Intervals::default();
        for (second, phase) in [
            (0, Phase::Ramp),
            (1, Phase::Ramp),
            (1, Phase::Hold),
            (1, Phase::Drain),
            (2, Phase::Hold),
        ] {
            intervals.add(&flush(0, second, phase, 100, 1), 1);
        }
        let closed: Vec<Phase> = intervals.close(1, 0.25).map(|interval| interval.phase).collect();
        assert_eq!(closed, [Phase::Ramp, Phase::Hold, Phase::Drain]);
        let cpus: Vec<f64> = intervals.into_list().iter().map(|at| at.generator_cpu).collect();
        assert_eq!(cpus, [0.0, 0.25, 0.25, 0.25, 0.0]);
    }
}
