//! A scenario measured in several processes, which must agree: some faults depend on the process.

mod leaks;
mod notes;
mod readings;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use baselines::alloc::{Counts, Metric};
use baselines::compare::{Live, Slack, slack_of};

use crate::child::{self, Task};
use crate::measure::{Outcome, Plan, Repeats, Sample};
use crate::pins::Pins;
use crate::profiler::Heap;
use crate::system_calls::Calls;

pub(crate) use notes::CALLS_VARY;
pub(crate) use readings::Difference;
use readings::{Run, Runs, least};

/// Processes of each scenario. The second begins at 2N, so that the first run of a process is known at both sizes.
pub(crate) const PROCESSES: u64 = 3;

/// The result of all repeats of a scenario. Descriptors that were left open have one sentence each.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one for each scenario")]
pub(crate) enum Measured {
    /// `counts` are the least of all repeats, and `live` the most.
    Counted {
        counts: Counts,
        live: Live,
        left_open: Vec<String>,
        calls: Vec<String>,
        /// Counts that are not measured, and costs that are not the same for every operation, one sentence each.
        notes: Vec<String>,
        /// Counts that differ between repeats.
        wavering: Vec<Difference>,
    },
    /// See [`Outcome::Broken`].
    Broken { why: String, left_open: Vec<String> },
    /// The process printed something, which `why` says.
    Printed { why: String },
}

/// The rules that a suite or a scenario holds its repeats to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    /// Nothing may be alive at the end, and system calls must agree; otherwise no more may be alive at the end of 2N than
    /// at the end of N, and system calls that differ are not measured: those of other people's runtimes depend on the time
    /// at which one thread wakes another.
    pub(crate) is_strict: bool,
    /// Differences that the scenario tolerates.
    pub(crate) slack: &'a [Slack],
    /// What is the same in every run.
    pub(crate) pins: Pins,
}

/// `runs` kept runs at N and at 2N, spread over the processes.
pub(crate) fn measure(id: &str, runs: u64, rules: Rules<'_>) -> anyhow::Result<Measured> {
    let mut processes = Vec::new();
    for process in 0..PROCESSES {
        let runs = runs / PROCESSES + u64::from(process < runs % PROCESSES);
        // In one process only: a call that is counted costs ten times as much.
        let observed = process + 1 == PROCESSES;
        // A server that is not ours may cost more with every operation; that is told, and not judged.
        let triple = process == 0 && !rules.is_strict;
        let plan = Plan { double_first: starts_at(process) == 1, triple };
        let task = Task::Measure { runs, observed, plan, pins: rules.pins };
        let (outcome, printed) = child::listen(id, task)?;
        match outcome {
            Outcome::Ran(_) if !printed.is_empty() => {
                return Ok(Measured::Printed { why: words(&printed) });
            }
            Outcome::Ran(repeats) => processes.push(*repeats),
            Outcome::Broken { why, left_open } => return Ok(Measured::Broken { why, left_open }),
        }
    }
    Ok(combine(&processes, rules))
}

/// A server in a window prints nothing: each line is a system call that no other count holds.
fn words(printed: &str) -> String {
    let lines = printed.lines().count();
    let first = printed.lines().next().unwrap_or_default();
    format!(
        "the process printed to stdout or stderr ({lines} lines), first {first:?}; print nothing"
    )
}

/// Index of the size that a process begins with: N or 2N.
fn starts_at(process: u64) -> usize {
    usize::from(process % 2 == 1)
}

fn combine(processes: &[Repeats], rules: Rules<'_>) -> Measured {
    let ops = processes[0].ops;
    let (mut wavering, mut wavering_calls) = (Vec::new(), Vec::new());
    for size in [0, 1] {
        let runs = kept_runs(processes, size);
        wavering.extend(runs.that_vary(rules.slack));
        wavering_calls.extend(runs.calls_that_vary(rules.slack));
    }
    if rules.is_strict {
        wavering.append(&mut wavering_calls);
    }
    let least = [0, 1]
        .map(|size| least(&processes.iter().map(|one| least(&one.kept[size])).collect::<Vec<_>>()));
    let observed = processes.iter().find_map(|process| {
        let [Sample { calls: Some(n), .. }, Sample { calls: Some(double), .. }] =
            [0, 1].map(|size| readings::least(&process.kept[size]))
        else {
            return None;
        };
        wavering_calls.is_empty().then_some([n, double])
    });
    let (once, differing) = once(processes, &least, rules.slack);
    // What is done once can only be told from kept runs that agree.
    if wavering.is_empty() {
        wavering = differing;
    }
    let kept = |metric: fn(&Sample) -> u64| least.each_ref().map(metric);
    let io =
        |which: usize| least[0].io.zip(least[1].io).map(|(n, double)| [n[which], double[which]]);
    let both = |metric: fn(&Sample) -> Option<u64>| {
        metric(&least[0]).zip(metric(&least[1])).map(Into::into)
    };
    Measured::Counted {
        counts: Counts {
            ops,
            blocks: kept(|sample| sample.heap.blocks),
            bytes: kept(|sample| sample.heap.bytes),
            reads: io(0),
            writes: io(1),
            peak_bytes: kept(|sample| sample.heap.peak_bytes),
            once_blocks: once.map(|once| once.blocks),
            once_bytes: once.map(|once| once.bytes),
            calls: observed.as_ref().map(|calls| calls.each_ref().map(Calls::sum)),
            held_fds: both(|sample| sample.held_fds),
            held_bytes: both(|sample| sample.held_bytes),
        },
        live: if rules.is_strict { leaks::alive(processes) } else { leaks::grown(processes) },
        calls: observed.as_ref().map_or_else(Vec::new, by_name),
        notes: notes::of(processes, &wavering_calls),
        left_open: processes
            .iter()
            .find(|one| !one.left_open.is_empty())
            .map_or_else(Vec::new, |one| one.left_open.clone()),
        wavering,
    }
}

/// All kept runs of one size.
fn kept_runs(processes: &[Repeats], size: usize) -> Runs<'_> {
    let all = (1..).zip(processes).flat_map(|(process, one)| {
        (1..).zip(&one.kept[size]).map(move |(run, sample): (u32, _)| Run {
            name: format!("run {run} of process {process}"),
            process,
            sample,
        })
    });
    Runs { ops: processes[0].ops[size], all: all.collect() }
}

/// What only the first run of a process allocates, if it has N or 2N operations; and the first runs that differ from each
/// other or from the later ones in something else.
fn once(
    processes: &[Repeats],
    least: &[Sample; 2],
    slack: &[Slack],
) -> ([Heap; 2], Vec<Difference>) {
    let mut wavering = Vec::new();
    let mut once = [Heap::default(); 2];
    for size in [0, 1] {
        let firsts = (0..).zip(processes).filter(|(process, _)| starts_at(*process) == size);
        let all = (1..).zip(firsts).map(|(number, (process, one))| Run {
            name: format!("the first run of process {}", process + 1),
            process: number,
            sample: &one.first,
        });
        let runs = Runs { ops: processes[0].ops[size], all: all.collect() };
        wavering.extend(runs.that_vary(slack));
        let Some(Run { sample: first, .. }) = runs.all.first() else { continue };
        let kept = &least[size];
        let rest = without_once(first, kept);
        let all = [("the first run", &rest), ("the later ones", kept)];
        let all = all.map(|(name, sample)| Run { name: name.to_owned(), process: 0, sample });
        wavering.extend(Runs { ops: runs.ops, all: all.into() }.that_vary(slack));
        let beyond = |all: u64, rest: u64, metric| {
            // Within the slack of the metric, nothing is known to be done once.
            Some(all - rest).filter(|more| *more > slack_of(slack, metric)).unwrap_or_default()
        };
        once[size].blocks = beyond(first.heap.blocks, rest.heap.blocks, Metric::Blocks);
        once[size].bytes = beyond(first.heap.bytes, rest.heap.bytes, Metric::Bytes);
    }
    (once, wavering)
}

/// `getppid 100, 200`: each system call at N and 2N, those that grow most first.
fn by_name([n, double]: &[Calls; 2]) -> Vec<String> {
    let names: BTreeSet<&String> = n.by_name.keys().chain(double.by_name.keys()).collect();
    let mut calls: Vec<_> =
        names.into_iter().map(|name| (name, n.of(name), double.of(name))).collect();
    calls.sort_by_key(|(_, n, double)| (Reverse(double.abs_diff(*n)), Reverse(*n)));
    calls.into_iter().map(|(name, n, double)| format!("{name} {n}, {double}")).collect()
}

/// The first run of a process without what it allocates beyond the later ones. What it keeps for good is live, held and
/// part of its peak; tasks and descriptors are leaks in every run.
fn without_once(first: &Sample, kept: &Sample) -> Sample {
    let heap = Heap {
        blocks: first.heap.blocks.min(kept.heap.blocks),
        bytes: first.heap.bytes.min(kept.heap.bytes),
        ..kept.heap
    };
    Sample { heap, io: first.io, ..kept.clone() }
}

#[cfg(test)]
mod tests;
