//! The recorded numbers, their formats on disk and between processes, and the comparison of a new measurement with them.
//!
//! Nothing here measures. Every instrument passes plain integers or ratios, and all of them share one set of verdicts
//! and exit codes.
//!
//! # Layout
//!
//! - [`alloc`]: exact counts of the allocation scenarios, `alloc/<target>.json`: load, save, merge.
//! - [`sites`]: the call sites behind one scenario, `alloc/sites/<id>.txt`: load, save, diff.
//! - [`ratios`]: benchmark times relative to raw TCP, `bench/ratios.json`: load, save, judge.
//! - [`suite_report`]: one run of an allocation suite as JSON, between the runner and `ws-compare`: render, parse.
//! - [`pending`]: numbers that are not accepted yet, `pending/<target>/<id>.json`: load, save, find.
//! - [`update`]: measured numbers into the recorded files, with the rules for it.
//! - [`recording`]: changes of these files, one writer at a time, all files or none.
//! - [`compare`]: recorded and measured counts → judgement; pure.
//! - [`words`]: changes in words, as every report prints them; pure.
//! - [`verdict`]: the outcomes and their exit codes.
//!
//! `root` in every `path` function is the folder of the recorded files; ours is this package's folder.

pub mod alloc;
pub mod compare;
mod error;
mod file;
pub mod pending;
pub mod ratios;
pub mod recording;
pub mod sites;
mod strict;
pub mod suite_report;
pub mod update;
pub mod verdict;
pub mod words;

pub use alloc::AllocBaseline;
pub use error::Error;
pub use pending::Pending;
pub use recording::Recording;
pub use suite_report::SuiteReport;
pub use update::Update;
pub use verdict::Verdict;
