//! What is alive at the end of a run: everything, or what grows with the operations.

use baselines::compare::Live;

use crate::measure::{Repeats, Sample};

/// Everything that was alive at the end of a run. What a process allocates once may be kept.
pub(super) fn alive(processes: &[Repeats]) -> Live {
    let most = |metric: fn(&Sample) -> u64| {
        let kept = processes.iter().flat_map(|one| &one.kept);
        kept.map(metric).max().unwrap_or_default()
    };
    let most_ever = |metric: fn(&Sample) -> u64| {
        let firsts = processes.iter().map(|one| metric(&one.first));
        firsts.max().unwrap_or_default().max(most(metric))
    };
    Live {
        blocks: most(|sample| sample.heap.live_blocks),
        bytes: most(|sample| sample.heap.live_bytes),
        fds: most_ever(|sample| sample.descriptors),
        tasks: most_ever(|sample| sample.tasks),
        mapped: 0,
    }
}

/// What was alive at the end of 2N operations beyond what was at the end of N.
pub(super) fn grown(processes: &[Repeats]) -> Live {
    let most = |metric: fn(&Sample) -> u64| {
        let grown = |one: &Repeats| metric(&one.kept[1]).saturating_sub(metric(&one.kept[0]));
        processes.iter().map(grown).max().unwrap_or_default()
    };
    Live {
        blocks: most(|sample| sample.heap.live_blocks),
        bytes: most(|sample| sample.heap.live_bytes),
        fds: most(|sample| sample.descriptors),
        tasks: most(|sample| sample.tasks),
        mapped: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profiler::Heap;

    /// Two processes that keep so many blocks at the end of N and of 2N.
    fn keeping(blocks: [u64; 2]) -> [Repeats; 2] {
        let sample = |live_blocks| Sample {
            heap: Heap { live_blocks, ..Heap::default() },
            ..Sample::default()
        };
        [0; 2].map(|_| Repeats { kept: blocks.map(sample), ..Repeats::default() })
    }

    #[test]
    fn what_a_server_keeps_has_grown_only_if_2n_operations_keep_more() {
        for (kept, all, more) in [([7, 7], 7, 0), ([7, 10], 10, 3), ([7, 5], 7, 0)] {
            let processes = keeping(kept);
            assert_eq!((alive(&processes).blocks, grown(&processes).blocks), (all, more));
        }
    }

    #[test]
    fn what_the_first_run_of_a_process_keeps_has_not_grown() {
        let mut processes = keeping([1, 1]);
        (processes[1].first.tasks, processes[1].first.descriptors) = (2, 3);
        let (all, more) = (alive(&processes), grown(&processes));
        assert_eq!((all.tasks, all.fds, more.tasks, more.fds), (2, 3, 0, 0));
    }
}
