//! One window measured, and the repeats that must agree.

use anyhow::{Context, ensure};
use baselines::alloc::Counts;
use baselines::compare::Live;
use serde::{Deserialize, Serialize};

use crate::io_count::IO;
use crate::{Scenario, Window, descriptors};

pub use profiler::*;

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
        counts: WireCounts,
        /// Blocks, bytes, descriptors and tasks left, the larger of N and 2N each.
        live: [u64; 4],
        /// The descriptors left, in words.
        descriptors: Vec<String>,
    },
    /// Two runs at the same N did not agree.
    Nondeterministic {
        /// What differed, in words, with the run it first differed in.
        differences: Vec<String>,
    },
}

/// [`Counts`] between processes.
#[derive(Debug, Serialize, Deserialize)]
pub struct WireCounts {
    ops: [u64; 2],
    blocks: [u64; 2],
    bytes: [u64; 2],
    reads: [u64; 2],
    writes: [u64; 2],
    peak_bytes: [u64; 2],
    held_bytes: Option<[u64; 2]>,
}

impl From<&WireCounts> for Counts {
    fn from(wire: &WireCounts) -> Self {
        let WireCounts { ops, blocks, bytes, reads, writes, peak_bytes, held_bytes } = *wire;
        Self { ops, blocks, bytes, reads, writes, peak_bytes, held_bytes }
    }
}

/// [`Outcome::Counted`]'s `live` as the comparison takes it.
#[must_use]
pub fn live([blocks, bytes, fds, tasks]: [u64; 4]) -> Live {
    Live { blocks, bytes, fds, tasks }
}

/// One throw-away run and `runs` kept ones at N, the same at 2N. Never the least of them: that hides a leak in all but
/// one.
///
/// # Errors
///
/// If the scenario itself fails.
pub fn measure(scenario: &Scenario, runs: usize) -> anyhow::Result<Outcome> {
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
        counts: WireCounts {
            ops: [scenario.ops(), 2 * scenario.ops()],
            blocks: both(|sample| sample.blocks),
            bytes: both(|sample| sample.bytes),
            reads: both(|sample| sample.reads),
            writes: both(|sample| sample.writes),
            peak_bytes: both(|sample| sample.peak_bytes),
            held_bytes: kept[0].held_bytes.zip(kept[1].held_bytes).map(|(n, double)| [n, double]),
        },
        live: [
            worst(|sample| sample.live_blocks),
            worst(|sample| sample.live_bytes),
            worst(|sample| sample.descriptors),
            worst(|sample| sample.tasks),
        ],
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
    let (window, heap) = run(scenario, Window::new(ops), Profiler::counting)?;
    let leaked = descriptors::leaked(&before, &descriptors::open()?);
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
    Ok((sample, leaked))
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
    result.with_context(|| format!("the scenario failed at {ops} operations"))?;
    ensure!(sees || window.ends_with_server(), Blind);
    Ok((window, heap.unwrap_or_default()))
}

/// The instrument saw nothing at the end of a window: what it read before is worth nothing either.
#[derive(Debug)]
pub struct Blind;

impl std::fmt::Display for Blind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the window ended blind: an allocation made at its end was not counted")
    }
}

impl std::error::Error for Blind {}

/// The heap of a window.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Heap {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
    pub(crate) peak_bytes: u64,
    pub(crate) live_blocks: u64,
    pub(crate) live_bytes: u64,
}

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

#[cfg(feature = "hooks")]
mod profiler {
    use std::path::Path;
    use std::sync::Mutex;

    use super::Heap;

    /// Frames kept of a call stack whose call site nobody will ask for; dhat's least.
    const COUNTING_FRAMES: usize = 4;

    /// Frames kept of one that will be shown. Async stacks are deep: hyper alone takes a dozen.
    const ATTRIBUTING_FRAMES: usize = 64;

    static RUNNING: Mutex<Option<dhat::Profiler>> = Mutex::new(None);

    /// dhat at work, until dropped. One at a time.
    #[derive(Debug)]
    pub struct Profiler(());

    impl Profiler {
        /// Counts only.
        #[must_use]
        pub fn counting() -> Self {
            Self::start(dhat::Profiler::builder().testing().trim_backtraces(Some(COUNTING_FRAMES)))
        }

        /// Writes a profile with call stacks to `file` at its end.
        #[must_use]
        pub fn attributing(file: &Path) -> Self {
            Self::start(
                dhat::Profiler::builder().file_name(file).trim_backtraces(Some(ATTRIBUTING_FRAMES)),
            )
        }

        fn start(builder: dhat::ProfilerBuilder) -> Self {
            let mut running = RUNNING.lock().expect("no holder panics");
            *running = Some(builder.build());
            Self(())
        }

        /// Ends the profile when what it returns is dropped, be it on another thread.
        #[must_use]
        pub fn end_on_drop() -> EndOnDrop {
            EndOnDrop
        }

        pub(crate) fn live_bytes() -> u64 {
            dhat::HeapStats::get().curr_bytes as u64
        }

        /// `None` where the profile has ended.
        pub(crate) fn heap() -> Option<Heap> {
            RUNNING.lock().expect("no holder panics").as_ref()?;
            let stats = dhat::HeapStats::get();
            Some(Heap {
                blocks: stats.total_blocks,
                bytes: stats.total_bytes,
                peak_bytes: stats.max_bytes as u64,
                live_blocks: stats.curr_blocks as u64,
                live_bytes: stats.curr_bytes as u64,
            })
        }

        /// Whether an allocation made now is counted.
        pub(crate) fn sees() -> bool {
            let before = Self::heap();
            drop(std::hint::black_box(Box::new([0u8; 8])));
            let grown = |before: Heap, after: Heap| {
                after.blocks == before.blocks + 1 && after.bytes == before.bytes + 8
            };
            before.zip(Self::heap()).is_some_and(|(before, after)| grown(before, after))
        }
    }

    impl Drop for Profiler {
        fn drop(&mut self) {
            end();
        }
    }

    /// See [`Profiler::end_on_drop`].
    #[derive(Debug)]
    pub struct EndOnDrop;

    impl Drop for EndOnDrop {
        fn drop(&mut self) {
            end();
        }
    }

    fn end() {
        drop(RUNNING.lock().expect("no holder panics").take());
    }
}

#[cfg(not(feature = "hooks"))]
mod profiler {
    use std::path::Path;

    use super::Heap;

    /// Nothing: in a build without hooks somebody else counts.
    #[derive(Debug)]
    pub struct Profiler(());

    impl Profiler {
        /// Counts nothing.
        #[must_use]
        pub fn counting() -> Self {
            Self(())
        }

        /// Writes nothing.
        #[must_use]
        pub fn attributing(_: &Path) -> Self {
            Self(())
        }

        /// Ends nothing.
        #[must_use]
        pub fn end_on_drop() -> Self {
            Self(())
        }

        pub(crate) fn live_bytes() -> u64 {
            0
        }

        pub(crate) fn heap() -> Option<Heap> {
            Some(Heap::default())
        }

        pub(crate) fn sees() -> bool {
            true
        }
    }
}
