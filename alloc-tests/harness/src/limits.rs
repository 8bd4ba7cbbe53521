//! `MAX_ALLOCS_ALLOWED_<id>` in the environment: a limit on blocks for one run. The name is SwiftNIO's.

use anyhow::Context;
use baselines::compare::Limit;

use crate::scenario::Registry;

/// The limit of one scenario, if there is one.
pub(crate) fn of(id: &str) -> anyhow::Result<Option<Limit>> {
    let name = format!("{LIMIT}{id}");
    match std::env::var(&name) {
        Ok(text) => {
            let (n, double) = text.split_once(',').unwrap_or((&text, &text));
            let blocks = |text: &str| {
                text.parse().with_context(|| {
                    format!("{name}={text}: give a number of blocks, or two: at N and at 2N")
                })
            };
            Ok(Some(Limit([blocks(n)?, blocks(double)?])))
        }
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(error).context(name),
    }
}

/// Prefix of the variables.
const LIMIT: &str = "MAX_ALLOCS_ALLOWED_";

/// A limit in the environment that is not a number or names an unknown scenario, in a sentence.
pub(crate) fn invalid(registry: &Registry) -> Option<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut ids = names.filter_map(|name| name.strip_prefix(LIMIT).map(ToOwned::to_owned));
    ids.find_map(|id| match of(&id) {
        Err(error) => Some(format!("{error:#}")),
        Ok(_) if registry.contains_key(id.as_str()) => None,
        Ok(_) => Some(format!("{LIMIT}{id}: no scenario is called {id}; --list prints them all")),
    })
}
