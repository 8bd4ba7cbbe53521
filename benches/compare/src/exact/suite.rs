//! The allocation suite of one tree, run as a process.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use baselines::SuiteReport;

use crate::cleanup;

/// Kept runs of each scenario at each N, which must agree. The suite itself keeps ten.
const RUNS: &str = "3";

/// Counts the scenarios `ids`, or all if there are none, against the baselines in the folder `recorded`. `arm` names
/// the runner in errors.
pub(super) fn measure(
    arm: &str,
    runner: &Path,
    ids: &[&str],
    recorded: &Path,
) -> Result<SuiteReport> {
    // The exit code compares the counts with the baselines, which a comparison does not ask for.
    let output = cleanup::output(command(runner, recorded).args(ids))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    if output.stdout.is_empty() {
        bail!("the suite of {arm} ended with {} and no report: {}", output.status, stderr.trim());
    }
    SuiteReport::parse(&String::from_utf8_lossy(&output.stdout)).with_context(|| {
        format!(
            "cannot read the suite report of {arm}; choose a revision that prints this format, or leave the counts out \
             with --skip exact"
        )
    })
}

/// Records counts and call sites of the scenarios `ids` in the folder `recorded`.
pub(super) fn record(arm: &str, runner: &Path, ids: &[&str], recorded: &Path) -> Result<()> {
    let mut command = command(runner, recorded);
    command.args(["--update", "--reason", "to compare with"]).args(ids);
    let output = cleanup::output(&mut command)?;
    if !output.status.success() {
        bail!("the suite of {arm}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

fn command(runner: &Path, baselines: &Path) -> Command {
    let mut command = Command::new(runner);
    command.args(["suite", "--format", "json", "--runs", RUNS, "--baselines"]).arg(baselines);
    command
}
