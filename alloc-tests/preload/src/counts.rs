//! The counts of all processes that have the library loaded, read from outside while they run.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::layout::{self, FIRST_SLOT, LENGTH, SLOT_WORDS, SLOTS, WORD};

/// Totals since the file was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Heap blocks. A `realloc` is one block of its whole new size.
    pub blocks: u64,
    /// Bytes of those blocks, as requested.
    pub bytes: u64,
    /// Completed reads from sockets of IPv4 and IPv6.
    pub reads: u64,
    /// Bytes of those reads.
    pub read_bytes: u64,
    /// Completed writes to sockets of IPv4 and IPv6.
    pub writes: u64,
    /// Bytes of those writes.
    pub written_bytes: u64,
}

/// A process that has loaded the library, or that was forked by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    slot: usize,
    /// Its id. The process may have ended.
    pub pid: u32,
    /// Bytes that it has allocated and not freed, as requested.
    pub live_bytes: i64,
}

/// Gives an empty `file` the length that the library expects.
///
/// # Errors
///
/// If the operating system refuses.
pub fn prepare(file: &File) -> io::Result<()> {
    file.set_len(LENGTH as u64)
}

impl Counts {
    /// The counts in `file`.
    ///
    /// # Errors
    ///
    /// If `file` cannot be read.
    pub fn read(file: &File) -> io::Result<Self> {
        let [blocks, bytes, reads, read_bytes, writes, written_bytes] =
            words(file, layout::BLOCKS)?;
        Ok(Self { blocks, bytes, reads, read_bytes, writes, written_bytes })
    }

    /// What was counted since `before`, an earlier reading.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            blocks: self.blocks - before.blocks,
            bytes: self.bytes - before.bytes,
            reads: self.reads - before.reads,
            read_bytes: self.read_bytes - before.read_bytes,
            writes: self.writes - before.writes,
            written_bytes: self.written_bytes - before.written_bytes,
        }
    }
}

/// Bytes of memory that the program has mapped itself, past `malloc`.
///
/// # Errors
///
/// If `file` cannot be read.
pub fn mapped_bytes(file: &File) -> io::Result<u64> {
    let [bytes] = words(file, layout::MAPPED)?;
    Ok((bytes as i64).max(0) as u64)
}

/// The processes that have begun after the first `known` ones, in their order; none if there were too many to tell them
/// apart.
///
/// # Errors
///
/// If `file` cannot be read.
pub fn processes(file: &File, known: usize) -> io::Result<Option<Vec<Process>>> {
    let [begun] = words(file, layout::PROCESSES)?;
    let begun = begun as usize;
    if begun >= SLOTS {
        return Ok(None);
    }
    (known + 1..=begun).map(|slot| Process::read(file, slot)).collect::<io::Result<_>>().map(Some)
}

impl Process {
    fn read(file: &File, slot: usize) -> io::Result<Self> {
        let [pid, live_bytes] = words(file, FIRST_SLOT + slot * SLOT_WORDS)?;
        Ok(Self { slot, pid: pid as u32, live_bytes: live_bytes as i64 })
    }

    /// The same process as it is now.
    ///
    /// # Errors
    ///
    /// If `file` cannot be read.
    pub fn now(self, file: &File) -> io::Result<Self> {
        Self::read(file, self.slot)
    }
}

/// `N` words from word number `at`. It allocates nothing.
fn words<const N: usize>(file: &File, at: usize) -> io::Result<[u64; N]> {
    let mut words = [0; N];
    for (word, at) in words.iter_mut().zip(at..) {
        let mut bytes = [0; WORD];
        file.read_exact_at(&mut bytes, (at * WORD) as u64)?;
        *word = u64::from_ne_bytes(bytes);
    }
    Ok(words)
}
