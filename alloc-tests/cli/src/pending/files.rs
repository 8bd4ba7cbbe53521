//! Pending numbers as files.

use std::path::Path;

use anyhow::Result;
use baselines::Error;
use baselines::pending::{self, Found};

use crate::error::NotComparable;

/// Pending files of a folder; one that is refused is an error with the cure.
pub(super) fn found(folder: &Path) -> Result<Vec<Found>> {
    pending::find(folder).map_err(|error| match error {
        Error::NotComparable { .. } => {
            let what = pending::plain(&error.to_string());
            NotComparable(format!("{what}; or remove the file, and run the test again")).into()
        }
        error => error.into(),
    })
}
