//! Judges whether a run is there as a whole, and whether the runs that it was added up from ran at the same time.

use super::verdict::RunVerdict;
use bench_show::units::counted;
use load_plan::model::{Part, Phase, Run};
use load_plan::units::{exact_duration, time};

const SECOND_NS: u64 = 1_000_000_000;

/// `shard 1`, `run 19ac3f-1b`: a run among those that were added up to `run`.
pub(crate) fn part_name(run: &Run, part: &Part) -> String {
    match run.shard.of {
        ..=1 => format!("run {}", part.run_id),
        _ => format!("shard {}", part.shard),
    }
}

/// The verdict on a run that lacks a part of its time or of its shards, and why; `None` for a whole run.
pub(super) fn cut_short(run: &Run) -> Option<(RunVerdict, Vec<String>)> {
    let mut reasons = interrupted(run);
    let verdict = if reasons.is_empty() { RunVerdict::Incomplete } else { RunVerdict::Interrupted };
    reasons.extend(missing(run));
    (!reasons.is_empty()).then_some((verdict, reasons))
}

fn interrupted(run: &Run) -> Vec<String> {
    if !run.interrupted {
        return Vec::new();
    }
    let planned = exact_duration(run.profile.duration());
    let ended = |what: &str, second: u64| {
        format!("a signal ended {what} in second {second}; {planned} were planned")
    };
    let parts = run.parts.iter();
    let parts = parts.filter_map(|part| Some(ended(&part_name(run, part), part.interrupted_in?)));
    let parts: Vec<_> = parts.collect();
    if !parts.is_empty() {
        return parts;
    }
    let what = match (run.shard.of, &run.shards[..]) {
        (2.., [shard]) => format!("shard {shard}"),
        _ => "the run".to_owned(),
    };
    vec![ended(&what, run.intervals.last().map_or(0, |last| last.second))]
}

fn missing(run: &Run) -> Option<String> {
    let missing: Vec<String> = (0..run.shard.of)
        .filter(|shard| !run.shards.contains(shard))
        .map(|shard| shard.to_string())
        .collect();
    let are = if missing.len() == 1 { "is" } else { "are" };
    (!missing.is_empty()).then(|| {
        format!(
            "of {} shards, {} {are} missing: {}; add the reports of all with ws-load merge",
            run.shard.of,
            missing.len(),
            missing.join(", ")
        )
    })
}

/// Why the sums of `run` are not those of one load: its parts did not hold their connections at the same time.
pub(super) fn apart(run: &Run) -> Vec<String> {
    let skew = skewed(run);
    if skew.is_some() { skew } else { partial(run) }.into_iter().collect()
}

/// A part that began to hold a stage much later than another, by their wall clocks.
fn skewed(run: &Run) -> Option<String> {
    let allowed_ns = run.profile.allowed_skew().as_nanos();
    let stages = run.profile.stages.iter().enumerate();
    for (index, stage) in stages.filter(|(_, stage)| !stage.hold.is_zero()) {
        let began = |part: &Part| {
            let hold = part.holds.get(index).copied().flatten()?;
            Some(part.started_unix_ns + u128::from(hold))
        };
        let name = &stage.name;
        if let Some(part) = run.parts.iter().find(|part| began(part).is_none()) {
            return Some(format!(
                "{} did not hold stage \"{name}\"; run all parts again, with a common --start-at",
                part_name(run, part)
            ));
        }
        let first = run.parts.iter().min_by_key(|part| began(part))?;
        let last = run.parts.iter().max_by_key(|part| began(part))?;
        let apart_ns = began(last)? - began(first)?;
        if apart_ns > allowed_ns {
            return Some(format!(
                "{} began to hold stage \"{name}\" {} after {}, and may be at most {} apart, a tenth of the \
                 shortest hold; start all parts at the same --start-at, on machines whose clocks agree",
                part_name(run, last),
                time(apart_ns as f64),
                part_name(run, first),
                time(allowed_ns as f64)
            ));
        }
    }
    None
}

/// A second in which all parts should hold a stage, and not all of them were measured.
fn partial(run: &Run) -> Option<String> {
    let whole_runs = if run.shard.of > 1 { 1 } else { run.parts.len() as u64 };
    run.intervals.iter().filter(|interval| interval.phase == Phase::Hold).find_map(|interval| {
        let stage = run.profile.stages.get(interval.stage)?;
        let holds = run.parts.iter().filter_map(|part| part.holds.get(interval.stage)?.as_ref());
        let (first, last) = (holds.clone().min()?, holds.max()?);
        let begin_ns = interval.second * SECOND_NS;
        let is_inside = begin_ns >= *last
            && begin_ns + SECOND_NS <= first + stage.hold.as_nanos() as u64
            && interval.length_ns > 0;
        let planned = u64::from(stage.connections) * whole_runs;
        (is_inside && interval.target < planned).then(|| {
            format!(
                "in second {} of stage \"{}\", {} of {planned} were measured: a part of the load stood still; \
                 run it on machines with less to do",
                interval.second,
                stage.name,
                counted(interval.target, "connection"),
            )
        })
    })
}
