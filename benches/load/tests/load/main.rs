//! Whole runs of `ws-load` against servers of these tests, and runs in virtual time as the library judges them.

mod access;
mod allocations;
mod bad_input;
mod busy;
mod conversations;
mod diff;
mod endings;
mod handshakes;
mod histograms;
mod interrupted;
mod judged;
mod lines;
mod live;
mod peers;
mod planned;
mod profile;
mod quick;
mod run;
mod search;
mod server;
mod shards;
mod stopped;
mod terminal;
mod tls;
mod unanswered;
mod verdicts;
