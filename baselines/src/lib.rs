//! The memory of the project: what was recorded, in which format, and how a new measurement is judged against it.
//!
//! Nothing here measures. A producer hands over plain integers (or ratios), and everything that is compared, refused
//! or written down goes through this crate, so that every instrument speaks one set of verdicts and exit codes.
//!
//! # Layout
//!
//! - [`alloc`]: exact counts of the allocation scenarios, `alloc/<target>.json`: load, save, merge.
//! - [`sites`]: the call sites behind one scenario, `alloc/sites/<id>.txt`: load, save, diff.
//! - [`ratios`]: benchmark times relative to raw TCP, `bench/ratios.json`: load, save, judge.
//! - [`suite_report`]: one run of an allocation suite as JSON, between the runner and `ws-compare`: print, parse.
//! - [`compare`]: recorded × measured → judgement, pure.
//! - [`verdict`]: the outcomes and their exit codes.
//!
//! `root` in every `path` function is this package's folder, where the recorded files lie beside the code.

pub mod alloc;
pub mod compare;
mod error;
mod file;
pub mod ratios;
pub mod sites;
mod strict;
pub mod suite_report;
pub mod verdict;

pub use alloc::AllocBaseline;
pub use error::Error;
pub use suite_report::SuiteReport;
pub use verdict::Verdict;
