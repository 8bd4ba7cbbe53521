//! A global allocator that counts, cheap enough to leave on.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::Serialize;

static BLOCKS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static FREED_BLOCKS: AtomicU64 = AtomicU64::new(0);
static FREED_BYTES: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, counted. A binary installs it with `#[global_allocator]`.
///
/// Counts by dhat's rules: a `realloc` is one more block and its whole new size in bytes.
#[derive(Debug)]
pub struct Counting;

// SAFETY: every call goes to `System` unchanged, and the counters touch none of its memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        counted(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        counted(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        let moved = counted(unsafe { System.realloc(ptr, layout, new_size) }, new_size);
        if !moved.is_null() {
            freed(layout.size());
        }
        moved
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        freed(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

fn counted(ptr: *mut u8, size: usize) -> *mut u8 {
    if !ptr.is_null() {
        BLOCKS.fetch_add(1, Relaxed);
        BYTES.fetch_add(size as u64, Relaxed);
    }
    ptr
}

fn freed(size: usize) {
    FREED_BLOCKS.fetch_add(1, Relaxed);
    FREED_BYTES.fetch_add(size as u64, Relaxed);
}

/// Allocations of the process since its start, and those that are not freed yet.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Allocations {
    pub(crate) total_blocks: u64,
    pub(crate) total_bytes: u64,
    #[serde(rename = "remaining_blocks")]
    pub(crate) live_blocks: u64,
    #[serde(rename = "remaining_bytes")]
    pub(crate) live_bytes: u64,
}

/// The counts so far, or `None` where [`Counting`] is not the allocator. The four counters are read one after the
/// other: under load they may differ by a few blocks.
pub(crate) fn current() -> Option<Allocations> {
    // Freed blocks are read first, so that live blocks are never negative.
    let (freed_blocks, freed_bytes) = (FREED_BLOCKS.load(Relaxed), FREED_BYTES.load(Relaxed));
    let (total_blocks, total_bytes) = (BLOCKS.load(Relaxed), BYTES.load(Relaxed));
    (total_blocks > 0).then(|| Allocations {
        total_blocks,
        total_bytes,
        live_blocks: total_blocks.saturating_sub(freed_blocks),
        live_bytes: total_bytes.saturating_sub(freed_bytes),
    })
}
