//! Judges a load and reports it.
//!
//! # Layout
//!
//! - [`summary`]: the figures of a run; [`validator`]: its verdict; [`merge`]: the sum of several runs; [`search`]: the
//!   highest load that holds; [`trial`]: the load of one of its trials; [`conclusion`]: its answer. All pure.
//! - [`report`]: a run in several formats, one file each
//! - [`own_target`]: the server of a run without a URL
//! - [`settings`], [`signals`]: what each program that runs a load needs

pub mod conclusion;
pub mod merge;
pub mod own_target;
pub mod report;
pub mod search;
pub mod settings;
pub mod signals;
pub mod summary;
pub mod trial;
pub mod validator;
