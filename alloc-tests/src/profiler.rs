//! dhat behind a door: start, read, end. Without hooks, nothing behind the same door.

#[cfg(not(feature = "hooks"))]
mod absent;
#[cfg(feature = "hooks")]
mod dhat_hooks;

#[cfg(not(feature = "hooks"))]
pub use absent::Profiler;
#[cfg(feature = "hooks")]
pub use dhat_hooks::{EndOnDrop, Profiler};

/// The heap of a window.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Heap {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
    pub(crate) peak_bytes: u64,
    pub(crate) live_blocks: u64,
    pub(crate) live_bytes: u64,
}
