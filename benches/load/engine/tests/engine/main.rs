//! Whole runs in virtual time against a peer in memory.

mod stalls;
mod support;
