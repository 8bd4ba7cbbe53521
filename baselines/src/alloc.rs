//! Exact counts of the allocation scenarios, one file per target triple.

mod format;
mod merge;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{Error, Recording, file};

pub use merge::MergeReport;

/// The version of the file format. A file of another version is not comparable.
pub const SCHEMA: u32 = 4;

/// All recorded counts of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocBaseline {
    /// The build that was measured.
    pub provenance: Provenance,
    /// Scenario id (the stem of its source file) to its counts.
    pub scenarios: BTreeMap<String, Counts>,
}

/// The conditions that counts depend on besides the code. A difference is shown, and is no verdict by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The compiler's version, as in `1.95.0`.
    pub rustc: String,
    /// The cargo profile that the scenarios were built with.
    pub profile: String,
    /// The packages that the measured program is built of, with their versions. Those of this workspace are left out:
    /// their code is what is measured.
    pub packages: BTreeMap<String, String>,
}

/// The totals of one scenario, each at N and at 2N operations.
///
/// Two sizes separate the cost of an operation from the fixed cost of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// N and 2N: the number of messages, connections or ticks.
    pub ops: [u64; 2],
    /// Heap blocks allocated over the whole run; a `realloc` is one block.
    pub blocks: [u64; 2],
    /// Heap bytes allocated over the whole run.
    pub bytes: [u64; 2],
    /// Read calls of the server's streams. `None` if no stream was counted.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub reads: Option<[u64; 2]>,
    /// Write calls of the server's streams. `None` if no stream was counted.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub writes: Option<[u64; 2]>,
    /// Most heap bytes live at one moment.
    pub peak_bytes: [u64; 2],
    /// Heap blocks that only the first run of a process allocates, if that run has N or 2N operations.
    pub once_blocks: [u64; 2],
    /// Heap bytes that only the first run of a process allocates.
    pub once_bytes: [u64; 2],
    /// System calls of the server's threads, without reads and writes of streams, waits, accepts, closes, and growth
    /// of the allocator's heap. `None` if they were not measured.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub calls: Option<[u64; 2]>,
    /// Open descriptors of the server and its driver at a moment that the scenario chose.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub held_fds: Option<[u64; 2]>,
    /// Heap bytes live at a moment that the scenario chose; only for scenarios that hold connections open.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub held_bytes: Option<[u64; 2]>,
}

/// Rejects `null`: a metric that was not measured has no key.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<[u64; 2]>, D::Error> {
    <[u64; 2]>::deserialize(deserializer).map(Some)
}

impl Counts {
    /// The totals of `metric`; `None` if it was not measured.
    pub fn get(&self, metric: Metric) -> Option<[u64; 2]> {
        match metric {
            Metric::Blocks => Some(self.blocks),
            Metric::Bytes => Some(self.bytes),
            Metric::Reads => self.reads,
            Metric::Writes => self.writes,
            Metric::PeakBytes => Some(self.peak_bytes),
            Metric::OnceBlocks => Some(self.once_blocks),
            Metric::OnceBytes => Some(self.once_bytes),
            Metric::Calls => self.calls,
            Metric::HeldFds => self.held_fds,
            Metric::HeldBytes => self.held_bytes,
        }
    }

    /// The cost of one operation, (T(2N) − T(N)) / N; negative if the longer run cost less.
    ///
    /// `None` if the metric was not measured, or if the operations do not grow.
    pub fn per_op(&self, metric: Metric) -> Option<f64> {
        let [at_n, at_2n] = self.get(metric)?;
        let grown = self.ops[1].checked_sub(self.ops[0]).filter(|&ops| ops > 0)?;
        Some((i128::from(at_2n) - i128::from(at_n)) as f64 / grown as f64)
    }

    /// The cost that is independent of the operations, T(N) − N × [`per_op`](Self::per_op).
    pub fn fixed(&self, metric: Metric) -> Option<f64> {
        let [at_n, _] = self.get(metric)?;
        Some(at_n as f64 - self.per_op(metric)? * self.ops[0] as f64)
    }
}

/// A counted quantity.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    IntoStaticStr,
    VariantArray,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Metric {
    /// Heap blocks allocated.
    Blocks,
    /// Heap bytes allocated.
    Bytes,
    /// Read calls.
    Reads,
    /// Write calls.
    Writes,
    /// Most heap bytes live at one moment.
    PeakBytes,
    /// Heap blocks that only the first run of a process allocates.
    OnceBlocks,
    /// Heap bytes that only the first run of a process allocates.
    OnceBytes,
    /// System calls besides reads and writes.
    Calls,
    /// Descriptors open at the chosen moment.
    HeldFds,
    /// Heap bytes live at the chosen moment.
    HeldBytes,
}

impl Metric {
    /// All metrics, in the order of the keys in the file.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The key in the file and the name in reports.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// `<root>/alloc/<target>.json`.
pub fn path(root: &Path, target: &str) -> PathBuf {
    root.join("alloc").join(format!("{target}.json"))
}

impl AllocBaseline {
    /// Reads a baseline.
    ///
    /// # Errors
    ///
    /// [`Error::NotComparable`] for a file that [`save`](Self::save) would not write: an unknown key, another schema, a
    /// float, keys out of order or repeated, operations that do not grow, a truncated file.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::parse(&file::read(path)?).map_err(|reason| file::refuse(path, reason))
    }

    /// Replaces the file with the commit of `recording`.
    ///
    /// # Errors
    ///
    /// [`Error::NotComparable`] if [`load`](Self::load) would refuse the counts.
    pub fn save(&self, path: &Path, recording: &mut Recording) -> Result<(), Error> {
        let text = self.render().map_err(|reason| file::refuse(path, reason))?;
        recording.replace(path, text);
        Ok(())
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// The reason why it is refused, as [`load`](Self::load).
    pub fn parse(text: &str) -> Result<Self, String> {
        format::parse(text)
    }

    /// The text of the file, which [`parse`](Self::parse) reads back.
    ///
    /// # Errors
    ///
    /// The reason why it would be refused.
    pub fn render(&self) -> Result<String, String> {
        format::render(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ops: [u64; 2], blocks: [u64; 2], per_op: Option<f64>, fixed: Option<f64>) {
        let counts = Counts { ops, blocks, ..Counts::default() };
        assert_eq!(counts.per_op(Metric::Blocks), per_op);
        assert_eq!(counts.fixed(Metric::Blocks), fixed);
        assert_eq!(counts.per_op(Metric::HeldBytes), None);
        assert_eq!(counts.fixed(Metric::HeldBytes), None);
    }

    #[test]
    fn two_sizes_give_the_cost_per_operation_and_the_fixed_cost() {
        check([1000, 2000], [4012, 8012], Some(4.0), Some(12.0));
        check([1000, 2000], [12, 12], Some(0.0), Some(12.0));
        check([1000, 2000], [100, 601], Some(0.501), Some(-401.0));
        check([100, 200], [30, 20], Some(-0.1), Some(40.0));
    }

    #[test]
    fn sizes_that_do_not_grow_have_no_cost_per_operation() {
        check([1000, 1000], [1, 2], None, None);
        check([2000, 1000], [1, 2], None, None);
    }

    #[test]
    fn the_path_is_keyed_by_target() {
        let path = path(Path::new("baselines"), "x86_64-unknown-linux-gnu");
        assert_eq!(path, Path::new("baselines/alloc/x86_64-unknown-linux-gnu.json"));
    }
}
