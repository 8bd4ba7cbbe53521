//! The settings of a run that is not one part of several.

use std::num::NonZeroUsize;
use std::time::{SystemTime, UNIX_EPOCH};

use load_engine::run::{RunSettings, Trust};
use load_plan::model::Shard;
use load_plan::profile::Profile;

/// A whole run of `profile` against `url` that starts at once, with half of the processors as workers: the other half
/// serves where the target is on this machine.
#[must_use]
pub fn whole(profile: Profile, url: String) -> RunSettings {
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    RunSettings {
        profile,
        url,
        trust: Trust::default(),
        sources: Vec::new(),
        workers: (processors / 2).max(1),
        shard: Shard { index: 0, of: 1 },
        start_at: None,
        run_id: new_run_id(),
    }
}

/// The time and the process make it unique on one machine.
fn new_run_id() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", now.as_millis(), std::process::id())
}
