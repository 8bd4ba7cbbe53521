//! The readings of runs that must agree, and those that do not.

use std::collections::BTreeSet;

use baselines::alloc::Metric;
use baselines::compare::{Slack, slack_of};

use crate::measure::Sample;
use crate::profiler::Heap;
use crate::system_calls::Calls;

/// The name of a reading, the metric that a slack names it by, and its place in a sample.
type Reading = (&'static str, Option<Metric>, fn(&Sample) -> u64);

const READINGS: [Reading; 11] = [
    ("blocks", Some(Metric::Blocks), |sample| sample.heap.blocks),
    ("bytes", Some(Metric::Bytes), |sample| sample.heap.bytes),
    ("peak bytes", Some(Metric::PeakBytes), |sample| sample.heap.peak_bytes),
    ("held bytes", Some(Metric::HeldBytes), |sample| sample.held_bytes.unwrap_or_default()),
    ("held descriptors", Some(Metric::HeldFds), |sample| sample.held_fds.unwrap_or_default()),
    ("reads", Some(Metric::Reads), |sample| sample.io.unwrap_or_default()[0]),
    ("writes", Some(Metric::Writes), |sample| sample.io.unwrap_or_default()[1]),
    ("live blocks", None, |sample| sample.heap.live_blocks),
    ("live bytes", None, |sample| sample.heap.live_bytes),
    ("live tasks", None, |sample| sample.tasks),
    ("open descriptors", None, |sample| sample.descriptors),
];

/// Runs of the same number of operations, each with the words that say which one it is.
pub(super) struct Runs<'a> {
    pub(super) ops: u64,
    pub(super) named: Vec<(String, &'a Sample)>,
}

impl Runs<'_> {
    /// One sentence for each count whose runs differ by more than the slack.
    pub(super) fn that_vary(&self, slack: &[Slack]) -> Vec<String> {
        let sentence = |(name, metric, reading): &Reading| {
            self.differ(name, reading, metric.map_or(0, |metric| slack_of(slack, metric)))
        };
        READINGS.iter().filter_map(sentence).collect()
    }

    /// One sentence for each system call whose runs differ. If all calls have a slack, their sum must agree within it.
    pub(super) fn calls_that_vary(&self, slack: &[Slack]) -> Vec<String> {
        let most = slack_of(slack, Metric::Calls);
        let sum = |sample: &Sample| sample.calls.as_ref().map_or(0, Calls::sum);
        let observed: Vec<_> =
            self.named.iter().filter(|(_, sample)| sample.calls.is_some()).cloned().collect();
        let observed = Runs { ops: self.ops, named: observed };
        if most > 0 {
            return observed.differ("system calls", sum, most).into_iter().collect();
        }
        let calls = || observed.named.iter().filter_map(|(_, sample)| sample.calls.as_ref());
        let names: BTreeSet<&String> = calls().flat_map(|calls| calls.by_name.keys()).collect();
        let by_name = names.into_iter().filter_map(|name| {
            let of = |sample: &Sample| sample.calls.as_ref().map_or(0, |calls| calls.of(name));
            observed.differ(name, of, 0)
        });
        let mapped = |sample: &Sample| sample.calls.as_ref().map_or(0, |calls| calls.mapped);
        by_name.chain(observed.differ("mapped bytes", mapped, 0)).collect()
    }

    /// `blocks at 1000: 58 in run 1 of process 1, 59 in run 2 of process 1`, if the runs differ by more than `most`.
    fn differ<T: Copy + Ord + std::fmt::Display + Into<i128>>(
        &self,
        name: &str,
        reading: impl Fn(&Sample) -> T,
        most: u64,
    ) -> Option<String> {
        let seen = || self.named.iter().map(|(run, sample)| (run, reading(sample)));
        let (first_run, first) = seen().next()?;
        let (least, greatest) =
            (seen().map(|(_, value)| value).min()?, seen().map(|(_, value)| value).max()?);
        if greatest.into() - least.into() <= i128::from(most) {
            return None;
        }
        let (run, value) = seen().find(|(_, value)| *value != first)?;
        let ops = self.ops;
        Some(format!("{name} at {ops}: {first} in {first_run}, {value} in {run}"))
    }
}

/// The smallest value of every reading: what each of the runs has cost for certain.
pub(super) fn least(runs: &[Sample]) -> Sample {
    let Some((first, rest)) = runs.split_first() else { return Sample::default() };
    rest.iter().fold(first.clone(), |least, next| Sample {
        heap: Heap {
            blocks: least.heap.blocks.min(next.heap.blocks),
            bytes: least.heap.bytes.min(next.heap.bytes),
            peak_bytes: least.heap.peak_bytes.min(next.heap.peak_bytes),
            live_blocks: least.heap.live_blocks.min(next.heap.live_blocks),
            live_bytes: least.heap.live_bytes.min(next.heap.live_bytes),
        },
        held_bytes: least.held_bytes.min(next.held_bytes),
        held_fds: least.held_fds.min(next.held_fds),
        io: least.io.zip(next.io).map(|(one, other)| [0, 1].map(|at| one[at].min(other[at]))),
        tasks: least.tasks.min(next.tasks),
        descriptors: least.descriptors.min(next.descriptors),
        // The runs of one process are all observed, or none is.
        calls: least.calls.zip(next.calls.as_ref()).map(|(one, other)| one.least(other)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(blocks: u64) -> Sample {
        Sample { heap: Heap { blocks, ..Heap::default() }, ..Sample::default() }
    }

    #[track_caller]
    fn check(blocks: &[u64], most: u64, sentences: &[&str]) {
        let samples: Vec<_> = blocks.iter().map(|blocks| sample(*blocks)).collect();
        let named = (1..).zip(&samples).map(|(run, sample)| (format!("run {run}"), sample));
        let runs = Runs { ops: 9, named: named.collect() };
        let slack =
            Slack { metric: Metric::Blocks, amount: most, reason: "a cache is filled".to_owned() };
        assert_eq!(runs.that_vary(&[slack]), sentences);
    }

    #[test]
    fn the_first_run_that_differs_is_named() {
        check(&[5, 5, 5], 0, &[]);
        check(&[5, 5, 7, 6], 0, &["blocks at 9: 5 in run 1, 7 in run 3"]);
    }

    #[test]
    fn a_slack_bounds_the_distance_between_the_least_and_the_most() {
        check(&[5, 4, 6], 2, &[]);
        check(&[5, 4, 7], 2, &["blocks at 9: 5 in run 1, 4 in run 2"]);
    }

    #[test]
    fn the_least_of_runs_is_taken_reading_by_reading() {
        let mut other = sample(9);
        other.tasks = 3;
        let least = least(&[other, Sample { tasks: 7, ..sample(4) }]);
        assert_eq!((least.heap.blocks, least.tasks), (4, 3));
    }
}
