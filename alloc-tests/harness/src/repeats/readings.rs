//! The readings of runs that must agree, and those that do not.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

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

/// Runs of the same number of operations.
pub(super) struct Runs<'a> {
    pub(super) ops: u64,
    pub(super) all: Vec<Run<'a>>,
}

#[derive(Clone)]
pub(super) struct Run<'a> {
    /// Says which one it is.
    pub(super) name: String,
    /// Runs of one process have the same number.
    pub(super) process: usize,
    pub(super) sample: &'a Sample,
}

/// A count that differs between runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// `blocks at 1000`.
    pub(crate) name: String,
    /// The metric that a slack names it by.
    pub(crate) metric: Option<Metric>,
    /// The largest distance.
    pub(crate) spread: u64,
    /// Whether no run of a process costs less than the one before it, and most cost more.
    pub(crate) grows: bool,
    /// Whether two runs of one process differ.
    pub(crate) within_a_process: bool,
    /// `58 in run 1 of process 1, 59 in run 2 of process 1`.
    pub(crate) values: String,
}

impl Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.values)
    }
}

impl Runs<'_> {
    /// Each count whose runs differ by more than the slack.
    pub(super) fn that_vary(&self, slack: &[Slack]) -> Vec<Difference> {
        let difference = |(name, metric, reading): &Reading| {
            let most = metric.map_or(0, |metric| slack_of(slack, metric));
            let value = |sample: &Sample| i128::from(reading(sample));
            self.differ((name, *metric), value, most)
        };
        READINGS.iter().filter_map(difference).collect()
    }

    /// Each system call whose runs differ. If all calls have a slack, their sum must agree within it.
    pub(super) fn calls_that_vary(&self, slack: &[Slack]) -> Vec<Difference> {
        let all: Vec<_> =
            self.all.iter().filter(|run| run.sample.calls.is_some()).cloned().collect();
        let observed = Runs { ops: self.ops, all };
        let most = slack_of(slack, Metric::Calls);
        if most > 0 {
            let sum = |calls: &Calls| i128::from(calls.sum());
            return observed.calls_differ("system calls", sum, most).into_iter().collect();
        }
        let calls = || observed.all.iter().filter_map(|run| run.sample.calls.as_ref());
        let names: BTreeSet<&String> = calls().flat_map(|calls| calls.by_name.keys()).collect();
        let by_name = names
            .into_iter()
            .filter_map(|name| observed.calls_differ(name, |calls| i128::from(calls.of(name)), 0));
        let mapped = |calls: &Calls| i128::from(calls.mapped);
        by_name.chain(observed.calls_differ("mapped bytes", mapped, 0)).collect()
    }

    fn calls_differ(
        &self,
        name: &str,
        count: impl Fn(&Calls) -> i128,
        most: u64,
    ) -> Option<Difference> {
        let value = |sample: &Sample| sample.calls.as_ref().map_or(0, &count);
        self.differ((name, Some(Metric::Calls)), value, most)
    }

    /// The difference, if it is more than `most`.
    fn differ(
        &self,
        (name, metric): (&str, Option<Metric>),
        value: impl Fn(&Sample) -> i128,
        most: u64,
    ) -> Option<Difference> {
        let seen: Vec<_> = self.all.iter().map(|run| (run, value(run.sample))).collect();
        let values = || seen.iter().map(|(_, value)| *value);
        let spread = u64::try_from(values().max()? - values().min()?).unwrap_or(u64::MAX);
        if spread <= most {
            return None;
        }
        let (first_run, first) = seen.first()?;
        let (run, other) = seen.iter().find(|(_, value)| value != first)?;
        let steps = || {
            let pairs = seen.windows(2).filter(|pair| pair[0].0.process == pair[1].0.process);
            pairs.map(|pair| pair[1].1 - pair[0].1)
        };
        let within_a_process = steps().any(|step| step != 0);
        Some(Difference {
            name: format!("{name} at {}", self.ops),
            metric,
            spread,
            grows: steps().all(|step| step >= 0)
                && 2 * steps().filter(|step| *step > 0).count() > steps().count(),
            within_a_process,
            values: format!("{first} in {}, {other} in {}", first_run.name, run.name),
        })
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
        let all = (1..).zip(&samples).map(|(run, sample)| Run {
            name: format!("run {run}"),
            process: 0,
            sample,
        });
        let runs = Runs { ops: 9, all: all.collect() };
        let slack =
            Slack { metric: Metric::Blocks, amount: most, reason: "a cache is filled".to_owned() };
        let said: Vec<_> = runs.that_vary(&[slack]).iter().map(ToString::to_string).collect();
        assert_eq!(said, sentences);
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
    fn a_count_that_most_runs_raise_and_none_lowers_grows() {
        let [a, b, c] = [3, 5, 4].map(sample);
        let run = |process, sample| Run { name: String::new(), process, sample };
        let grows = |all| {
            let differences = Runs { ops: 9, all }.that_vary(&[]);
            (differences[0].grows, differences[0].within_a_process, differences[0].spread)
        };
        assert_eq!(grows(vec![run(0, &a), run(0, &b), run(1, &a), run(1, &c)]), (true, true, 2));
        assert_eq!(grows(vec![run(0, &a), run(0, &b), run(0, &c)]), (false, true, 2));
        assert_eq!(grows(vec![run(0, &a), run(0, &a), run(0, &c)]), (false, true, 1));
        assert_eq!(grows(vec![run(0, &a), run(0, &a), run(1, &c)]), (false, false, 1));
    }

    #[test]
    fn the_least_of_runs_is_taken_reading_by_reading() {
        let mut other = sample(9);
        other.tasks = 3;
        let least = least(&[other, Sample { tasks: 7, ..sample(4) }]);
        assert_eq!((least.heap.blocks, least.tasks), (4, 3));
    }
}
