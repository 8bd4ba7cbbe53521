//! Judges a load and reports it.
//!
//! # Layout
//!
//! - [`summary`]: the figures of a run; [`validator`]: whether it is good; [`merge`]: the sum of several; [`search`]: the
//!   most that holds. All pure.
//! - [`report`]: how a run is shown, a file for each format
//! - [`own_target`]: the server of a run without a URL
//! - [`settings`], [`signals`]: what every program that runs a load needs

pub mod merge;
pub mod own_target;
pub mod report;
pub mod search;
pub mod settings;
pub mod signals;
pub mod summary;
pub mod validator;
