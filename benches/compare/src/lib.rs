//! Base against head: exact counts, instructions and paired timings, one table, one verdict.
//!
//! # Layout
//!
//! - [`model`]: what a comparison found, as plain data; [`outcome`]: its exit code
//! - [`cleanup`]: child processes and folders that stay behind on no way out
//! - [`revision`]: two revisions as programs, built alike
//! - [`exact`]: the allocation suites of both trees; [`instructions`]: callgrind over what they have in memory
//! - [`report`]: how it is shown, in a format a file
//! - [`timing`]: a short look at every row, a longer one at the suspects; [`round`]: fresh processes side by side;
//!   [`workload`]: what they are asked; [`driver`]: who asks; [`server_process`], [`process_clock`]: who answers, from an
//!   own copy of its program;
//!   [`spinners`]: neighbours, and who keeps a processor awake
//! - [`gate`]: rounds → verdicts; [`statistics`]: the estimates and tests under it
//! - [`calibration`]: what the gate says where the answer is known

pub mod calibration;
pub mod cleanup;
pub mod driver;
pub mod exact;
pub mod gate;
pub mod instructions;
pub mod model;
pub mod outcome;
mod own_copy;
pub mod report;
pub mod revision;
pub mod round;
pub mod server_process;
pub mod timing;
pub mod workload;
