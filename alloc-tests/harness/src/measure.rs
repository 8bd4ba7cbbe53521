//! One window measured, and the repeats that must agree.

use anyhow::{Context, ensure};
use baselines::alloc::Counts;
use baselines::compare::Live;
use serde::{Deserialize, Serialize};

use crate::error::{Blind, Broken, Environment};
use crate::io_count::IO;
use crate::profiler::{Heap, Profiler};
use crate::{Scenario, Window, descriptors};

/// All readings of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sample {
    heap: Heap,
    held_bytes: Option<u64>,
    reads: u64,
    writes: u64,
    tasks: u64,
    descriptors: u64,
}

/// The result of all repeats of a scenario. Descriptors that were left open have one sentence each.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// All repeats agreed. `live` is the larger one at N and 2N of each number.
    Counted { counts: Counts, live: Live, descriptors: Vec<String> },
    /// The server did not behave as the scenario demands: `why` is the first demand that failed.
    Broken { why: String, descriptors: Vec<String> },
    /// Two runs at the same N differed, in one sentence for each reading that did.
    Nondeterministic { differences: Vec<String> },
}

/// One discarded run and `runs` kept ones at N, then the same at 2N. All kept runs must agree: their minimum would hide
/// a leak in all but one of them.
pub(crate) fn measure(scenario: &Scenario, runs: u64) -> anyhow::Result<Outcome> {
    repeat(scenario, runs).or_else(|error| {
        let Broken { why, descriptors } = error.downcast()?;
        Ok(Outcome::Broken { why, descriptors })
    })
}

fn repeat(scenario: &Scenario, runs: u64) -> anyhow::Result<Outcome> {
    let mut kept = Vec::with_capacity(2);
    let mut descriptors = Vec::new();
    for ops in [scenario.ops, 2 * scenario.ops] {
        sample(scenario, ops)?;
        let (first, leaked) = sample(scenario, ops)?;
        for run in 1..runs {
            let (next, _) = sample(scenario, ops)?;
            if next != first {
                let differences = differences(&first, &next, ops, run + 1);
                return Ok(Outcome::Nondeterministic { differences });
            }
        }
        descriptors.extend(leaked);
        kept.push(first);
    }
    let both = |metric: fn(&Sample) -> u64| [metric(&kept[0]), metric(&kept[1])];
    let larger = |metric: fn(&Sample) -> u64| both(metric).into_iter().max().unwrap_or_default();
    Ok(Outcome::Counted {
        counts: Counts {
            ops: [scenario.ops, 2 * scenario.ops],
            blocks: both(|sample| sample.heap.blocks),
            bytes: both(|sample| sample.heap.bytes),
            reads: both(|sample| sample.reads),
            writes: both(|sample| sample.writes),
            peak_bytes: both(|sample| sample.heap.peak_bytes),
            held_bytes: kept[0].held_bytes.zip(kept[1].held_bytes).map(|(n, double)| [n, double]),
        },
        live: Live {
            blocks: larger(|sample| sample.heap.live_blocks),
            bytes: larger(|sample| sample.heap.live_bytes),
            fds: larger(|sample| sample.descriptors),
            tasks: larger(|sample| sample.tasks),
        },
        descriptors,
    })
}

/// One run of `ops` operations, and the descriptors that it left open, one sentence each.
fn sample(scenario: &Scenario, ops: u64) -> anyhow::Result<(Sample, Vec<String>)> {
    let before =
        descriptors::open().context("cannot list open descriptors; /proc must be mounted")?;
    let ran = run(scenario, Window::new(ops), Profiler::counting);
    let leaked = descriptors::leaked(&before, &descriptors::open()?);
    let (window, heap) = ran.map_err(|error| {
        if error.is::<Environment>() || error.is::<Blind>() {
            return error;
        }
        Broken { why: format!("{error:#}"), descriptors: descriptors::describe_all(&leaked) }.into()
    })?;
    let sample = Sample {
        heap,
        held_bytes: window.held_bytes.get(),
        reads: IO.reads(),
        writes: IO.writes(),
        tasks: window.alive_tasks.get(),
        descriptors: leaked.len() as u64,
    };
    Ok((sample, descriptors::describe_all(&leaked)))
}

/// Runs a scenario in `window`. Its preparation happens before the profile starts, and only its body inside.
pub(crate) fn run(
    scenario: &Scenario,
    window: Window,
    start: impl FnOnce() -> Profiler,
) -> anyhow::Result<(Window, Heap)> {
    let ops = window.ops();
    let body = scenario.prepare(ops);
    let profiler = start();
    let result = body(&window);
    let heap = Profiler::heap();
    let counting = heap.is_some() && Profiler::is_counting();
    drop(profiler);
    result.with_context(|| format!("the server broke the scenario at {ops} operations"))?;
    ensure!(
        counting || window.ends_with_server || !cfg!(feature = "hooks"),
        Blind("the window ended blind: an allocation made at its end was not counted".to_owned())
    );
    Ok((window, heap.unwrap_or_default()))
}

/// The name of a reading, and its place in a sample.
type Reading = (&'static str, fn(&Sample) -> u64);

fn differences(first: &Sample, other: &Sample, ops: u64, run: u64) -> Vec<String> {
    let readings: [Reading; 10] = [
        ("blocks", |sample| sample.heap.blocks),
        ("bytes", |sample| sample.heap.bytes),
        ("peak bytes", |sample| sample.heap.peak_bytes),
        ("held bytes", |sample| sample.held_bytes.unwrap_or_default()),
        ("reads", |sample| sample.reads),
        ("writes", |sample| sample.writes),
        ("live blocks", |sample| sample.heap.live_blocks),
        ("live bytes", |sample| sample.heap.live_bytes),
        ("live tasks", |sample| sample.tasks),
        ("open descriptors", |sample| sample.descriptors),
    ];
    let changed = readings.iter().filter(|(_, reading)| reading(first) != reading(other));
    changed
        .map(|(name, reading)| {
            format!("{name} at {ops}: {} in run 1, {} in run {run}", reading(first), reading(other))
        })
        .collect()
}
