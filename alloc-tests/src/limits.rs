//! `MAX_ALLOCS_ALLOWED_<id>` in the environment, SwiftNIO's name for a limit on blocks that holds for one run.

use anyhow::Context;
use baselines::compare::Limit;

use crate::Registry;

/// The limit of one scenario, if there is one.
///
/// # Errors
///
/// If it is not a number.
pub fn of(id: &str) -> anyhow::Result<Option<Limit>> {
    let name = format!("{LIMIT}{id}");
    match std::env::var(&name) {
        Ok(text) => {
            let blocks = text.parse().with_context(|| {
                format!("{name}={text}: give a number of blocks at N operations")
            })?;
            Ok(Some(Limit(blocks)))
        }
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(error).context(name),
    }
}

/// How the name of a limit in the environment begins.
const LIMIT: &str = "MAX_ALLOCS_ALLOWED_";

/// What is wrong with limits in the environment: one that is no number, or that is for a scenario which does not exist.
/// Somebody believes it holds.
#[must_use]
pub fn wrong(registry: &Registry) -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let ids = names.filter_map(|name| name.strip_prefix(LIMIT).map(ToOwned::to_owned));
    ids.filter_map(|id| match of(&id) {
        Err(error) => Some(format!("{error:#}")),
        Ok(_) if registry.contains_key(id.as_str()) => None,
        Ok(_) => Some(format!("{LIMIT}{id}: no scenario is called {id}; --list prints them all")),
    })
    .collect()
}
