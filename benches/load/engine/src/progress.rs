//! The state of a run, once a second.

use std::time::Duration;

use load_plan::metrics::Sample;
use load_plan::model::{Interval, Phase};
use load_plan::profile::Profile;

/// How far a run is.
#[derive(Clone, Debug)]
pub struct Progress<'a> {
    /// The profile that runs.
    pub profile: &'a Profile,
    /// Time since the start.
    pub elapsed: Duration,
    /// The whole second that this is about.
    pub second: u64,
    /// Index of the stage now.
    pub stage: usize,
    /// Phase now.
    pub phase: Phase,
    /// Connections open now.
    pub open: u64,
    /// Connections that should be open now.
    pub target: u64,
    /// Counts and times of that second.
    pub last: &'a Sample,
    /// The intervals that ended with that second.
    pub closed: &'a [&'a Interval],
    /// Processors that the generator used in that second.
    pub generator_cpu: f64,
}
