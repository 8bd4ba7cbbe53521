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

impl Drop for Profiler {
    /// Ends nothing either; whoever holds one ends both kinds alike.
    fn drop(&mut self) {}
}
