//! dhat: start a profile, read the heap, end the profile. Without the feature `hooks` nothing is counted.

use std::path::Path;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

/// Frames kept of a call stack whose call site is not needed; dhat's minimum.
const COUNTING_FRAMES: usize = 4;

/// Frames kept of a call stack that is shown. Async stacks are deep: hyper alone takes a dozen.
const ATTRIBUTING_FRAMES: usize = 64;

static RUNNING: Mutex<Option<dhat::Profiler>> = Mutex::new(None);

/// The heap of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heap {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
    pub(crate) peak_bytes: u64,
    pub(crate) live_blocks: u64,
    pub(crate) live_bytes: u64,
}

/// A profile that ends when this is dropped. There is one at a time.
///
/// ```
/// use plimsoll::Profiler;
///
/// let guard = Profiler::guard();
/// drop(guard); // ends the profile that runs, if one does
/// ```
#[derive(Debug)]
pub struct Profiler(());

impl Profiler {
    /// Counts only.
    pub(crate) fn counting() -> Self {
        Self::start(|| {
            dhat::Profiler::builder().testing().trim_backtraces(Some(COUNTING_FRAMES)).build()
        })
    }

    /// Writes a profile with call stacks to `file` at the end.
    pub(crate) fn attributing(file: &Path) -> Self {
        let frames = Some(ATTRIBUTING_FRAMES);
        Self::start(|| dhat::Profiler::builder().file_name(file).trim_backtraces(frames).build())
    }

    fn start(profiler: impl FnOnce() -> dhat::Profiler) -> Self {
        if cfg!(feature = "hooks") {
            *RUNNING.lock().expect("no holder panics") = Some(profiler());
        }
        Self(())
    }

    /// Another guard of the running profile, for example for another thread: the first that is dropped ends it.
    ///
    /// ```
    /// let guard = plimsoll::Profiler::guard();
    /// let server = std::thread::spawn(move || drop(guard));
    /// # server.join().expect("it does not panic");
    /// ```
    #[must_use]
    pub fn guard() -> Self {
        Self(())
    }

    pub(crate) fn live_bytes() -> u64 {
        Self::heap().map_or(0, |heap| heap.live_bytes)
    }

    /// `None` after the end of the profile.
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
    pub(crate) fn is_counting() -> bool {
        let before = Self::heap();
        drop(std::hint::black_box(Box::new([0u8; 8])));
        before.zip(Self::heap()).is_some_and(|(before, after)| {
            (after.blocks, after.bytes) == (before.blocks + 1, before.bytes + 8)
        })
    }
}

impl Drop for Profiler {
    fn drop(&mut self) {
        drop(RUNNING.lock().expect("no holder panics").take());
    }
}
