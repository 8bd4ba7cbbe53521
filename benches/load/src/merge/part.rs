use load_plan::model::{Part, Phase, Run};

/// What a run that is added to others leaves behind beside its sums.
pub(super) fn part(run: &Run) -> Part {
    let mut holds = vec![None; run.profile.stages.len()];
    for (began_ns, interval) in run.begun() {
        // Late answers alone make an interval without a length.
        if interval.phase == Phase::Hold
            && interval.length_ns > 0
            && let Some(hold) = holds.get_mut(interval.stage)
        {
            hold.get_or_insert(began_ns);
        }
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
