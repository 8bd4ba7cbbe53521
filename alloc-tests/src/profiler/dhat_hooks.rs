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
