//! A scenario measured in several processes, which must agree: some faults depend on the process.

mod leaks;
mod notes;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use baselines::alloc::Counts;
use baselines::compare::Live;

use crate::child::{self, Task};
use crate::measure::{Outcome, Plan, Repeats, Sample, differences};
use crate::profiler::Heap;
use crate::system_calls::Calls;

/// Processes of each scenario. The second begins at 2N, so that the first run of a process is known at both sizes.
pub(crate) const PROCESSES: u64 = 3;

/// The result of all repeats of a scenario. Descriptors that were left open have one sentence each.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one for each scenario")]
pub(crate) enum Measured {
    /// All repeats agreed. `live` is the largest of each number.
    Counted {
        counts: Counts,
        live: Live,
        left_open: Vec<String>,
        calls: Vec<String>,
        /// Counts that are not measured, and costs that are not the same for every operation, one sentence each.
        notes: Vec<String>,
    },
    /// See [`Outcome::Broken`].
    Broken { why: String, left_open: Vec<String> },
    /// See [`Outcome::Nondeterministic`]; two processes may differ as well.
    Nondeterministic { differences: Vec<String> },
}

/// `runs` kept runs at N and at 2N, spread over the processes. With `is_strict` nothing may be alive at the end, otherwise
/// no more than at the end of N.
pub(crate) fn measure(id: &str, runs: u64, is_strict: bool) -> anyhow::Result<Measured> {
    let mut processes = Vec::new();
    for process in 0..PROCESSES {
        let runs = runs / PROCESSES + u64::from(process < runs % PROCESSES);
        // In one process only: a call that is counted costs ten times as much.
        let observed = process + 1 == PROCESSES;
        // A server that is not ours may cost more with every operation; that is told, and not judged.
        let triple = process == 0 && !is_strict;
        let plan = Plan { double_first: starts_at(process) == 1, triple, is_strict };
        let task = Task::Measure { runs, observed, plan };
        let (outcome, printed) = child::listen(id, task)?;
        match outcome {
            Outcome::Agreed(_) if !printed.is_empty() => {
                return Ok(Measured::Broken { why: words(&printed), left_open: Vec::new() });
            }
            Outcome::Agreed(repeats) => processes.push(*repeats),
            Outcome::Broken { why, left_open } => return Ok(Measured::Broken { why, left_open }),
            Outcome::Nondeterministic { differences } => {
                return Ok(Measured::Nondeterministic { differences });
            }
        }
    }
    Ok(combine(&processes, is_strict))
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

fn combine(processes: &[Repeats], is_strict: bool) -> Measured {
    let one = &processes[0];
    let mut different = Vec::new();
    // The first run of a process that began at N, and of one that began at 2N.
    let mut firsts: [Option<&Sample>; 2] = [None, None];
    for (number, process) in (0..).zip(processes) {
        let name = format!("process {}", number + 1);
        for (size, kept) in process.kept.iter().enumerate() {
            let pair = (("process 1", &one.kept[size]), (name.as_str(), kept));
            different.extend(differences(pair.0, pair.1, one.ops[size]));
        }
        let size = starts_at(number);
        let first = firsts[size].get_or_insert(&process.first);
        let pair = (("the first run of process 1", *first), (name.as_str(), &process.first));
        different.extend(differences(pair.0, pair.1, one.ops[size]));
    }
    let mut once = [Heap::default(); 2];
    for size in [0, 1] {
        if let Some(first) = firsts[size] {
            let kept = &one.kept[size];
            let rest = without_once(first, kept);
            let pair = (("the first run", &rest), ("the later ones", kept));
            different.extend(differences(pair.0, pair.1, one.ops[size]));
            once[size].blocks = first.heap.blocks - rest.heap.blocks;
            once[size].bytes = first.heap.bytes - rest.heap.bytes;
        }
    }
    if !different.is_empty() {
        return Measured::Nondeterministic { differences: different };
    }
    let observed = processes.iter().find_map(|process| match &process.kept {
        [Sample { calls: Some(n), .. }, Sample { calls: Some(double), .. }] => Some([n, double]),
        _ => None,
    });
    let mapped = observed
        .map_or(0, |[n, double]| u64::try_from(double.mapped - n.mapped).unwrap_or_default());
    let kept = |metric: fn(&Sample) -> u64| [metric(&one.kept[0]), metric(&one.kept[1])];
    let io = |which: usize| {
        one.kept[0].io.zip(one.kept[1].io).map(|(n, double)| [n[which], double[which]])
    };
    Measured::Counted {
        counts: Counts {
            ops: one.ops,
            blocks: kept(|sample| sample.heap.blocks),
            bytes: kept(|sample| sample.heap.bytes),
            reads: io(0),
            writes: io(1),
            peak_bytes: kept(|sample| sample.heap.peak_bytes),
            once_blocks: once.map(|once| once.blocks),
            once_bytes: once.map(|once| once.bytes),
            calls: observed.map(|calls| calls.map(|calls| calls.by_name.values().sum())),
            held_fds: one.kept[0].held_fds.zip(one.kept[1].held_fds).map(Into::into),
            held_bytes: one.kept[0].held_bytes.zip(one.kept[1].held_bytes).map(Into::into),
        },
        live: Live {
            mapped,
            ..if is_strict { leaks::alive(processes) } else { leaks::grown(processes) }
        },
        calls: observed.map_or_else(Vec::new, by_name),
        notes: notes::of(processes),
        left_open: processes
            .iter()
            .find(|one| !one.left_open.is_empty())
            .map_or_else(Vec::new, |one| one.left_open.clone()),
    }
}

/// `getppid 100, 200`: each system call at N and 2N, those that grow most first.
fn by_name([n, double]: [&Calls; 2]) -> Vec<String> {
    let names: BTreeSet<&String> = n.by_name.keys().chain(double.by_name.keys()).collect();
    let of = |calls: &Calls, name| calls.by_name.get(name).copied().unwrap_or_default();
    let mut calls: Vec<_> =
        names.into_iter().map(|name| (name, of(n, name), of(double, name))).collect();
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
mod tests {
    use super::*;

    fn sample(blocks: u64) -> Sample {
        Sample { heap: Heap { blocks, bytes: 10 * blocks, ..Heap::default() }, ..Sample::default() }
    }

    /// Three processes that agree: 5 blocks at N, 8 at 2N, and 2 once.
    fn agreed() -> [Repeats; 3] {
        [5, 8, 5].map(|first| Repeats {
            ops: [3, 6],
            first: sample(first + 2),
            kept: [sample(5), sample(8)],
            left_open: Vec::new(),
            ..Repeats::default()
        })
    }

    #[track_caller]
    fn check(edit: impl Fn(&mut [Repeats; 3]), difference: &str) {
        let mut processes = agreed();
        edit(&mut processes);
        match combine(&processes, true) {
            Measured::Nondeterministic { differences } => assert_eq!(differences, [difference]),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_excess_of_the_first_run_is_what_a_process_does_once() {
        let Measured::Counted { counts, live, .. } = combine(&agreed(), true) else {
            panic!("they agree");
        };
        assert_eq!((counts.blocks, counts.once_blocks), ([5, 8], [2, 2]));
        assert_eq!((counts.bytes, counts.once_bytes), ([50, 80], [20, 20]));
        assert!(live.is_zero());
    }

    #[test]
    fn a_cache_that_a_process_fills_costs_once_for_each_operation() {
        let mut processes = agreed();
        for process in &mut processes {
            process.first.heap.blocks += process.first.heap.blocks - 4;
        }
        let Measured::Counted { counts, .. } = combine(&processes, true) else {
            panic!("they agree")
        };
        assert_eq!(counts.once_blocks, [5, 8]);
    }

    #[test]
    fn processes_that_differ_are_nondeterministic() {
        check(
            |processes| processes[2].kept[1].io = Some([1, 0]),
            "reads at 6: 0 in process 1, 1 in process 3",
        );
        check(
            |processes| processes[2].first.heap.blocks = 8,
            "blocks at 3: 7 in the first run of process 1, 8 in process 3",
        );
    }

    #[test]
    fn a_first_run_that_costs_less_or_reads_more_is_nondeterministic() {
        check(
            |processes| processes[1].first.heap.blocks = 1,
            "blocks at 6: 1 in the first run, 8 in the later ones",
        );
        check(
            |processes| processes[1].first.io = Some([0, 3]),
            "writes at 6: 3 in the first run, 0 in the later ones",
        );
    }

    /// 3 calls of `name` at N and 4 at 2N, and as many bytes mapped for good.
    fn calling(name: &str) -> [Repeats; 3] {
        let mut processes = agreed();
        for process in &mut processes {
            for (kept, count) in process.kept.iter_mut().zip([3, 4]) {
                let by_name = [(name.to_owned(), count), ("accept4".to_owned(), 9)].into();
                kept.calls = Some(Calls { by_name, mapped: count.cast_signed() });
            }
        }
        processes
    }

    #[test]
    fn system_calls_are_added_up_and_those_that_grow_come_first() {
        let Measured::Counted { counts, calls, .. } = combine(&calling("writev"), true) else {
            panic!("they agree");
        };
        assert_eq!(counts.calls, Some([12, 13]));
        assert_eq!(calls, ["writev 3, 4", "accept4 9, 9"]);
    }

    #[test]
    fn mapped_memory_that_grows_with_the_operations_is_a_leak() {
        let Measured::Counted { live, .. } = combine(&calling("mmap"), true) else {
            panic!("they agree");
        };
        assert_eq!(live.mapped, 1);
    }

    #[test]
    fn a_system_call_that_varies_is_named() {
        let mut processes = calling("writev");
        processes[1].kept = calling("openat")[1].kept.clone();
        let Measured::Nondeterministic { differences } = combine(&processes, true) else {
            panic!("they differ");
        };
        assert_eq!(differences[0], "openat at 3: 0 in process 1, 3 in process 2");
    }

    #[test]
    fn a_descriptor_or_a_task_that_only_the_first_run_leaves_is_a_leak() {
        let mut processes = agreed();
        for process in &mut processes {
            (process.first.descriptors, process.first.tasks) = (1, 2);
            process.left_open = vec!["fd 9: /dev/null".to_owned()];
        }
        let Measured::Counted { live, left_open, .. } = combine(&processes, true) else {
            panic!("they agree");
        };
        assert_eq!((live.fds, live.tasks), (1, 2));
        assert_eq!(left_open, ["fd 9: /dev/null"]);
    }
}
