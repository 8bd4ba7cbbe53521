//! The file of counts: words of 64 bits in the machine's byte order, which the library adds to and its parent reads.

/// The environment variable that names the file.
pub const VARIABLE: &str = "PLIMSOLL_COUNTS";

/// Bytes of a word.
pub const WORD: usize = 8;

/// The word with the number of processes that have begun, each with a slot, numbered from 1.
pub const PROCESSES: usize = 0;

/// The word with the number of blocks.
pub const BLOCKS: usize = 1;

/// The word with their bytes.
pub const BYTES: usize = 2;

/// The word with the number of reads; the next one has their bytes.
pub const READS: usize = 3;

/// The word with the number of writes; the next one has their bytes.
pub const WRITES: usize = 5;

/// The word with the bytes of memory that the program has mapped past `malloc`, and not unmapped.
pub const MAPPED: usize = 7;

/// The first word of the slots, on a page of their own.
pub const FIRST_SLOT: usize = 512;

/// Words of a slot: the process's id, and the bytes that are alive in it.
pub const SLOT_WORDS: usize = 2;

/// The number of slots. A header has 16 bits for the slot, and slot 0 stands for none.
pub const SLOTS: usize = 1 << 16;

/// Bytes of the file.
pub const LENGTH: usize = (FIRST_SLOT + SLOTS * SLOT_WORDS) * WORD;
