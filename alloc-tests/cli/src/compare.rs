//! `compare`: two revisions of the services of this workspace, or two servers.

use std::process::ExitCode;

use anyhow::Result;
pub(crate) use compare::command::{Args, EXIT_CODES, usage};

use crate::error::Usage;

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    compare::command::run(args).map_err(|error| match error.downcast() {
        Ok(compare::command::Usage(why)) => Usage(why).into(),
        Err(other) => other,
    })
}
