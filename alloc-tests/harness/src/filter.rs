//! The scenarios that a command line names.

use anyhow::bail;

use crate::error::Usage;
use crate::scenario::{PLANTED, Registry};
use crate::setup::Recorded;

/// Ids that contain a filter. A filter without a match is an error. Scenarios with a planted fault run only when named
/// by their whole id.
pub(crate) fn chosen(
    registry: &Registry,
    recorded: &Recorded,
    filters: &[String],
) -> anyhow::Result<Vec<&'static str>> {
    for filter in filters {
        let known = |id: &str| id.contains(filter.as_str());
        if !registry.keys().any(|id| known(id))
            && !recorded.stale(registry).any(|(id, _)| known(id))
        {
            let likeness = |id: &&str| strsim::jaro_winkler(id, filter);
            let offered = registry.keys().copied().filter(|id| !id.starts_with(PLANTED));
            let nearest = offered.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            let hint = nearest.map_or_else(String::new, |id| format!("; the nearest is {id}"));
            bail!(Usage(format!(
                "no scenario contains \"{filter}\"{hint}; --list prints them all"
            )));
        }
    }
    let asked = |id: &str| {
        if id.starts_with(PLANTED) { filters.iter().any(|f| f == id) } else { matches(id, filters) }
    };
    Ok(registry.keys().copied().filter(|id| asked(id)).collect())
}

/// Whether `id` contains one of `filters`, or there is none.
pub(crate) fn matches(id: &str, filters: &[String]) -> bool {
    filters.is_empty() || filters.iter().any(|filter| id.contains(filter.as_str()))
}
