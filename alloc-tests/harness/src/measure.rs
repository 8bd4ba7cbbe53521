//! One window measured, and the repeats of one process.

use anyhow::{Context, anyhow, ensure};
use serde::{Deserialize, Serialize};

use crate::error::{Blind, Broken, Environment};
use crate::io_count::IO;
use crate::profiler::{Heap, Profiler};
use crate::scenario::Body;
use crate::system_calls::{self, Calls};
use crate::{Scenario, Window, descriptors};

/// All readings of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) heap: Heap,
    pub(crate) held_bytes: Option<u64>,
    pub(crate) held_fds: Option<u64>,
    /// Reads and writes; `None` if no stream was counted.
    pub(crate) io: Option<[u64; 2]>,
    pub(crate) tasks: u64,
    pub(crate) descriptors: u64,
    /// `None` where they cannot be observed.
    pub(crate) calls: Option<Calls>,
}

/// The runs of one process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Repeats {
    /// N and 2N.
    pub(crate) ops: [u64; 2],
    /// The first run of the process, which does what is done once in a process.
    pub(crate) first: Sample,
    /// The later runs at N, and those at 2N.
    pub(crate) kept: [Vec<Sample>; 2],
    /// One run at 3N, if it was asked for.
    pub(crate) triple: Option<Sample>,
    /// Descriptors that were left open, one sentence each.
    pub(crate) left_open: Vec<String>,
}

/// The result of one process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Ran(Box<Repeats>),
    /// The server did not behave as the scenario demands: `why` is the first demand that failed.
    Broken {
        why: String,
        left_open: Vec<String>,
    },
}

/// The runs of one process besides those that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Whether the first run is at 2N instead of N.
    pub(crate) double_first: bool,
    /// Whether one more run is at 3N.
    pub(crate) triple: bool,
}

/// The first run of this process, and `runs` kept ones at N and at 2N.
pub(crate) fn measure(scenario: &Scenario, runs: u64, plan: Plan) -> anyhow::Result<Outcome> {
    repeat(scenario, runs, plan).or_else(|error| {
        let Broken { why, left_open } = error.downcast()?;
        Ok(Outcome::Broken { why, left_open })
    })
}

fn repeat(scenario: &Scenario, runs: u64, plan: Plan) -> anyhow::Result<Outcome> {
    let ops = [scenario.ops, 2 * scenario.ops];
    let order = if plan.double_first { [1, 0] } else { [0, 1] };
    let (first, left_open) = sample(scenario, ops[order[0]])?;
    let mut repeats = Repeats { ops, first, left_open, ..Repeats::default() };
    for size in order {
        for _ in 0..runs {
            let (sample, left_open) = sample(scenario, ops[size])?;
            repeats.kept[size].push(sample);
            if repeats.left_open.is_empty() {
                repeats.left_open = left_open;
            }
        }
    }
    if plan.triple {
        repeats.triple = Some(sample(scenario, 3 * scenario.ops)?.0);
    }
    Ok(Outcome::Ran(Box::new(repeats)))
}

/// One run of `ops` operations, and the descriptors that it left open, one sentence each.
fn sample(scenario: &Scenario, ops: u64) -> anyhow::Result<(Sample, Vec<String>)> {
    let window = Window::new(ops);
    // A server that `prepare` starts is outside of the window, and so are its descriptors.
    let body = scenario.prepare(ops);
    let before =
        descriptors::open().context("cannot list open descriptors; /proc must be mounted")?;
    system_calls::take();
    let window = window.beyond(before.len());
    let ran = run(body, &window, true, Profiler::counting);
    let calls = system_calls::take();
    let leaked = descriptors::leaked(&before, &descriptors::open()?);
    let heap = ran.map_err(|error| {
        if error.is::<Environment>() || error.is::<Blind>() {
            return error;
        }
        // A server that still runs, because the scenario failed before it stopped it, has its descriptors.
        let left_open =
            if window.has_forgotten() { Vec::new() } else { descriptors::describe_all(&leaked) };
        Broken { why: format!("{error:#}"), left_open }.into()
    })?;
    let sample = Sample {
        heap,
        held_bytes: window.held_bytes.get(),
        held_fds: window.held_fds.get(),
        io: IO.measured(),
        tasks: window.alive_tasks.get(),
        descriptors: leaked.len() as u64,
        calls,
    };
    Ok((sample, descriptors::describe_all(&leaked)))
}

/// Runs a scenario that was prepared in `window`. `is_counted` says whether the profile counts only, or has call stacks. A
/// `start` without a profile counts nothing.
pub(crate) fn run(
    body: Body,
    window: &Window,
    is_counted: bool,
    start: impl FnOnce() -> Profiler,
) -> anyhow::Result<Heap> {
    let ops = window.ops();
    let profiler = start();
    let is_profiled = Profiler::heap().is_some();
    let result = match body(window) {
        Ok(()) if window.has_forgotten() => {
            Err(anyhow!("a server was not stopped: call server.stop() at the end"))
        }
        result => result,
    };
    let result = result.map_err(|error| match window.failure() {
        Some(why) => error.context(why),
        None if IO.is_unserved() => error
            .context("the server accepted no connection; it must serve the listener that it gets"),
        None => error,
    });
    let heap = Profiler::heap();
    // A profile with call stacks gets no allocation of the harness: it would be a call site.
    let counting = heap.is_some() && (!is_counted || Profiler::is_counting());
    drop(profiler);
    result.with_context(|| format!("the server broke the scenario at {ops} operations"))?;
    ensure!(
        counting || window.ends_with_server || !is_profiled,
        Blind("the window ended blind: an allocation made at its end was not counted".to_owned())
    );
    Ok(heap.unwrap_or_default())
}
