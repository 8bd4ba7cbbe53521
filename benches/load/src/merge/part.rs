use load_plan::model::{Part, Phase, Run};

/// What a run that is added to others leaves behind beside its sums.
pub(super) fn part(run: &Run) -> Part {
    let mut holds = vec![None; run.profile.stages.len()];
    let (mut second, mut offset_ns) = (0, 0);
    for interval in &run.intervals {
        if interval.second != second {
            (second, offset_ns) = (interval.second, 0);
        }
        // Late answers alone make an interval without a length.
        if interval.phase == Phase::Hold && interval.length_ns > 0 {
            let began_ns = second * 1_000_000_000 + offset_ns;
            if let Some(hold) = holds.get_mut(interval.stage) {
                hold.get_or_insert(began_ns);
            }
        }
        offset_ns += interval.length_ns;
    }
    let last = run.intervals.last().map_or(0, |last| last.second);
    Part {
        shard: run.shard.index,
        run_id: run.run_id.clone(),
        started_unix_ns: run.started_unix_ns,
        interrupted_in: run.interrupted.then_some(last),
        holds,
    }
}
