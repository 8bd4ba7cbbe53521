//! What is alive at the end of a run: everything, or what grows with the operations.

use baselines::compare::Live;

use crate::measure::{Repeats, Sample};

/// Everything that was alive at the end of a run. What a process allocates once may be kept.
pub(super) fn alive(processes: &[Repeats]) -> Live {
    let most = |metric: fn(&Sample) -> u64| {
        let kept = processes.iter().flat_map(|one| one.kept.iter().flatten());
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
        mapped: mapped(processes),
    }
}

/// What was alive at the end of every run of 2N operations beyond what was at the end of any of N.
pub(super) fn grown(processes: &[Repeats]) -> Live {
    let most = |metric: fn(&Sample) -> u64| {
        let grown = |one: &Repeats| growth(one, |sample| Some(metric(sample)));
        processes.iter().filter_map(grown).max().unwrap_or_default()
    };
    Live {
        blocks: most(|sample| sample.heap.live_blocks),
        bytes: most(|sample| sample.heap.live_bytes),
        fds: most(|sample| sample.descriptors),
        tasks: most(|sample| sample.tasks),
        mapped: mapped(processes),
    }
}

/// Bytes that stay mapped at the end of 2N operations beyond those at the end of N. The runtime of a process maps some for
/// good, so that their number alone is no leak.
fn mapped(processes: &[Repeats]) -> u64 {
    let bytes = |sample: &Sample| {
        sample.calls.as_ref().map(|calls| u64::try_from(calls.mapped).unwrap_or_default())
    };
    processes.iter().filter_map(|one| growth(one, bytes)).max().unwrap_or_default()
}

/// The least at 2N beyond the most at N; `None` without a reading.
fn growth(one: &Repeats, metric: impl Fn(&Sample) -> Option<u64>) -> Option<u64> {
    let most = one.kept[0].iter().filter_map(&metric).max()?;
    let least = one.kept[1].iter().filter_map(&metric).min()?;
    Some(least.saturating_sub(most))
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
        [0; 2]
            .map(|_| Repeats { kept: blocks.map(|live| vec![sample(live)]), ..Repeats::default() })
    }

    #[test]
    fn what_a_server_keeps_has_grown_only_if_2n_operations_keep_more() {
        for (kept, all, more) in [([7, 7], 7, 0), ([7, 10], 10, 3), ([7, 5], 7, 0)] {
            let processes = keeping(kept);
            assert_eq!((alive(&processes).blocks, grown(&processes).blocks), (all, more));
        }
    }

    #[test]
    fn a_leak_of_one_run_is_a_leak_and_growth_is_what_every_run_shows() {
        let mut processes = keeping([0, 0]);
        let more = keeping([9, 4]);
        for size in [0, 1] {
            processes[0].kept[size].extend(more[0].kept[size].clone());
        }
        assert_eq!((alive(&processes).blocks, grown(&processes).blocks), (9, 0));
    }

    #[test]
    fn what_the_first_run_of_a_process_keeps_has_not_grown() {
        let mut processes = keeping([1, 1]);
        (processes[1].first.tasks, processes[1].first.descriptors) = (2, 3);
        let (all, more) = (alive(&processes), grown(&processes));
        assert_eq!((all.tasks, all.fds, more.tasks, more.fds), (2, 3, 0, 0));
    }
}
