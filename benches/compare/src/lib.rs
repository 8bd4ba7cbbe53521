//! Base against head: exact counts, instructions and paired timings, one table, one verdict.
//!
//! # Layout
//!
//! - [`command`]: the command `compare` of two programs
//! - [`subject`]: the services of a workspace, as it is configured
//! - [`model`]: the results, as plain data; [`outcome`]: their exit code
//! - [`cleanup`]: child processes and folders that end with this process, however it ends
//! - [`revision`]: two revisions, built alike
//! - [`exact`]: the allocation suites of both trees; [`instructions`]: their repeatable scenarios under callgrind
//! - [`timing`]: a screening of every row, a confirmation of the suspects; [`round`]: fresh processes side by side;
//!   [`workload`]: their traffic; [`talk`]: that of a file; [`driver`]: the client; [`server_process`]: the server; `layout`: keeps memory layout
//!   from deciding
//! - [`gate`]: rounds → verdicts
//! - [`report`]: one file per format
//! - [`flags`]: values of flags

pub mod cleanup;
pub mod command;
pub mod driver;
pub mod exact;
pub mod flags;
pub mod gate;
pub mod instructions;
mod layout;
pub mod model;
pub mod outcome;
pub mod report;
pub mod revision;
pub mod round;
pub mod server_process;
pub mod subject;
pub mod talk;
pub mod timing;
pub mod workload;
