//! Whole programs: the driver against the server, the command against files.

mod check_benches;
mod client;
