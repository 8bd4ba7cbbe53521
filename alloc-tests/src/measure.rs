//! One window measured, and the repeats that must agree.

use anyhow::{Context, ensure};
use baselines::alloc::Counts;
use baselines::compare::Live;
use serde::{Deserialize, Serialize};

use crate::io_count::IO;
use crate::profiler::{Heap, Profiler};
use crate::{Scenario, Window, descriptors};

/// Everything one run left in the instruments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    blocks: u64,
    bytes: u64,
    peak_bytes: u64,
    held_bytes: Option<u64>,
    reads: u64,
    writes: u64,
    live_blocks: u64,
    live_bytes: u64,
    tasks: u64,
    descriptors: u64,
}

/// What the repeats of a scenario came to.
#[derive(Debug, Serialize, Deserialize)]
pub enum Outcome {
    /// All agreed.
    Counted {
        /// Totals at N and 2N.
        counts: Counts,
        /// Left alive at the end, the larger of N and 2N each.
        live: Live,
        /// The descriptors left, in words.
        descriptors: Vec<String>,
    },
    /// The server did not do what the scenario demands of it.
    Broken {
        /// What it did instead.
        why: String,
        /// The descriptors that were left open even so, in words.
        descriptors: Vec<String>,
    },
    /// Two runs at the same N did not agree.
    Nondeterministic {
        /// What differed, in words, with the run it first differed in.
        differences: Vec<String>,
    },
}

/// One throw-away run and `runs` kept ones at N, the same at 2N. Never the least of them: that hides a leak in all but
/// one.
///
/// # Errors
///
/// If this machine does not let the scenario run, or nothing is seen.
pub fn measure(scenario: &Scenario, runs: usize) -> anyhow::Result<Outcome> {
    repeat(scenario, runs).or_else(|error| {
        let Broken { why, descriptors } = error.downcast()?;
        Ok(Outcome::Broken { why, descriptors })
    })
}

fn repeat(scenario: &Scenario, runs: usize) -> anyhow::Result<Outcome> {
    let mut kept = Vec::with_capacity(2);
    let mut descriptors = Vec::new();
    for ops in [scenario.ops(), 2 * scenario.ops()] {
        sample(scenario, ops)?;
        let (first, leaked) = sample(scenario, ops)?;
        for run in 1..runs {
            let (next, _) = sample(scenario, ops)?;
            if next != first {
                return Ok(Outcome::Nondeterministic {
                    differences: differences(&first, &next, ops, run + 1),
                });
            }
        }
        descriptors.extend(leaked);
        kept.push(first);
    }
    let both = |metric: fn(&Sample) -> u64| [metric(&kept[0]), metric(&kept[1])];
    let worst = |metric: fn(&Sample) -> u64| both(metric).into_iter().max().unwrap_or_default();
    Ok(Outcome::Counted {
        counts: Counts {
            ops: [scenario.ops(), 2 * scenario.ops()],
            blocks: both(|sample| sample.blocks),
            bytes: both(|sample| sample.bytes),
            reads: both(|sample| sample.reads),
            writes: both(|sample| sample.writes),
            peak_bytes: both(|sample| sample.peak_bytes),
            held_bytes: kept[0].held_bytes.zip(kept[1].held_bytes).map(|(n, double)| [n, double]),
        },
        live: Live {
            blocks: worst(|sample| sample.live_blocks),
            bytes: worst(|sample| sample.live_bytes),
            fds: worst(|sample| sample.descriptors),
            tasks: worst(|sample| sample.tasks),
        },
        descriptors,
    })
}

/// Measures one run of `ops` operations; also names the descriptors it left open.
///
/// # Errors
///
/// If the scenario itself fails.
pub fn sample(scenario: &Scenario, ops: u64) -> anyhow::Result<(Sample, Vec<String>)> {
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
        blocks: heap.blocks,
        bytes: heap.bytes,
        peak_bytes: heap.peak_bytes,
        held_bytes: window.held_bytes(),
        reads: IO.reads(),
        writes: IO.writes(),
        live_blocks: heap.live_blocks,
        live_bytes: heap.live_bytes,
        tasks: window.alive_tasks(),
        descriptors: leaked.len() as u64,
    };
    Ok((sample, descriptors::describe_all(&leaked)))
}

/// The window itself: what the scenario needs is made before, and nothing but the scenario runs inside.
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
    let sees = heap.is_some() && Profiler::sees();
    drop(profiler);
    result.with_context(|| format!("the server broke the scenario at {ops} operations"))?;
    ensure!(sees || window.ends_with_server(), Blind);
    Ok((window, heap.unwrap_or_default()))
}

/// Marks an error as this machine's: no port, no thread, no descriptor. It says nothing about the server.
#[derive(Debug)]
pub struct Environment;

impl std::fmt::Display for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("this machine does not let the scenario run")
    }
}

/// A scenario that the server did not get through.
#[derive(Debug)]
struct Broken {
    why: String,
    descriptors: Vec<String>,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Broken {}

/// The instrument saw nothing at the end of a window: what it read before is worth nothing either.
#[derive(Debug)]
pub struct Blind;

impl std::fmt::Display for Blind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the window ended blind: an allocation made at its end was not counted")
    }
}

impl std::error::Error for Blind {}

/// A name, and where it is in a sample.
type Metric = (&'static str, fn(&Sample) -> u64);

fn differences(first: &Sample, other: &Sample, ops: u64, run: usize) -> Vec<String> {
    let metrics: [Metric; 10] = [
        ("blocks", |sample| sample.blocks),
        ("bytes", |sample| sample.bytes),
        ("peak bytes", |sample| sample.peak_bytes),
        ("held bytes", |sample| sample.held_bytes.unwrap_or_default()),
        ("reads", |sample| sample.reads),
        ("writes", |sample| sample.writes),
        ("live blocks", |sample| sample.live_blocks),
        ("live bytes", |sample| sample.live_bytes),
        ("live tasks", |sample| sample.tasks),
        ("open descriptors", |sample| sample.descriptors),
    ];
    let changed = metrics.iter().filter(|(_, metric)| metric(first) != metric(other));
    changed
        .map(|(name, metric)| {
            format!("{name} at {ops}: {} in run 1, {} in run {run}", metric(first), metric(other))
        })
        .collect()
}
