//! Whole runs in virtual time against a peer in memory.

mod answers;
mod comings_and_goings;
mod conversations;
mod due;
mod endings;
mod handshakes;
mod identities;
mod lag;
mod misbehaviour;
mod modes;
mod reconnects;
mod shards;
mod silence;
mod stalls;
mod support;
mod timeouts;
mod users;
