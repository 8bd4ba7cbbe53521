//! Counts as JSON: between processes, and in a report.

use baselines::alloc::Counts;
use serde::{Deserialize, Serialize};

/// [`Counts`], in the shape that a baseline has.
#[derive(Debug, Serialize, Deserialize)]
pub struct WireCounts {
    ops: [u64; 2],
    blocks: [u64; 2],
    bytes: [u64; 2],
    reads: [u64; 2],
    writes: [u64; 2],
    peak_bytes: [u64; 2],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held_bytes: Option<[u64; 2]>,
}

impl From<&WireCounts> for Counts {
    fn from(wire: &WireCounts) -> Self {
        let WireCounts { ops, blocks, bytes, reads, writes, peak_bytes, held_bytes } = *wire;
        Self { ops, blocks, bytes, reads, writes, peak_bytes, held_bytes }
    }
}

impl From<&Counts> for WireCounts {
    fn from(counts: &Counts) -> Self {
        let Counts { ops, blocks, bytes, reads, writes, peak_bytes, held_bytes } = *counts;
        Self { ops, blocks, bytes, reads, writes, peak_bytes, held_bytes }
    }
}
