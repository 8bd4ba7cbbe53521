//! Numbers that wait for a decision, for `review`, `accept` and `reject`.

mod artifact;
mod files;
mod record;
mod suites;
mod waiting;

pub(crate) use record::{Accepted, Outcome, record};
pub(crate) use suites::Suites;
pub(crate) use waiting::{NOTHING, Of, Waiting, recorded};

use anyhow::Result;
use baselines::Pending;

/// Removes the files of decided numbers. A newer result of the same scenario, which was not seen, stays.
pub(crate) fn discard(suites: &Suites, decided: &[&Pending]) -> Result<()> {
    for one in decided {
        let folder = baselines::pending::folder(suites.baselines(one)?);
        if files::found(&folder)?.iter().any(|(_, found)| found == *one) {
            baselines::pending::remove(&folder, &one.target, &one.id)?;
        }
    }
    Ok(())
}
