//! `ws-load` against servers whose faults are known: what it reports is compared with what they say they did.

mod access;
mod answers;
mod bad_input;
mod comings_and_goings;
mod endings;
mod handshakes;
mod histograms;
mod interrupted;
mod modes;
mod peers;
mod percentiles;
mod profile;
mod run;
mod server;
mod shards;
mod stalls;
mod throttled;
mod tls;
