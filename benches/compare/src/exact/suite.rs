//! The allocation suite of one tree, run as a process.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use baselines::sites::SiteChange;
use baselines::suite_report::{Leak, ScenarioReport};
use baselines::{SuiteReport, Verdict};

use super::{SiteRow, Sites};
use crate::cleanup;

/// Kept runs of each scenario at each N. They must agree; the suite itself, run alone, insists on ten.
const RUNS: &str = "3";

/// Counts everything, with nothing to hold it to.
pub(super) fn measure(name: &str, runner: &Path, nothing: &Path) -> Result<SuiteReport> {
    report(&mut command(runner, nothing))
        .with_context(|| format!("the exact part of {name} failed"))
}

/// Keeps the call sites of these scenarios in `recorded`.
pub(super) fn record(runner: &Path, ids: &[&str], recorded: &Path) -> Result<()> {
    let mut command = command(runner, recorded);
    command.args(["--update", "--reason", "to compare with"]).args(ids);
    let output = cleanup::output(&mut command)?;
    if !output.status.success() {
        bail!("base: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// The call sites of these scenarios that are not as they are in `recorded`.
pub(super) fn sites(runner: &Path, ids: &[&str], recorded: &Path) -> Result<Sites> {
    let report = report(command(runner, recorded).args(ids)).context("head")?;
    let rows = report.scenarios.into_iter().map(|(id, scenario)| {
        (id, scenario.sites_changed.into_iter().map(SiteRow::from).collect())
    });
    Ok(rows.collect())
}

fn command(runner: &Path, baselines: &Path) -> Command {
    let mut command = Command::new(runner);
    command.args(["suite", "--format", "json", "--runs", RUNS, "--baselines"]).arg(baselines);
    command
}

/// The exit code says how the counts compare with what is recorded, which is not the question here.
fn report(command: &mut Command) -> Result<SuiteReport> {
    let output = cleanup::output(command)?;
    let said = || String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.stdout.is_empty() {
        bail!("the suite ended with {} and no report; it said: {}", output.status, said());
    }
    SuiteReport::parse(&String::from_utf8_lossy(&output.stdout))
        .with_context(|| format!("the suite ended with {}; it said: {:?}", output.status, said()))
}

/// The verdict of a scenario whose counts mean nothing.
pub(super) fn untrusted(scenario: &ScenarioReport) -> Option<Verdict> {
    let untrusted = [Verdict::Blind, Verdict::Nondeterministic, Verdict::Failed];
    untrusted.contains(&scenario.verdict).then_some(scenario.verdict)
}

/// The notes of the suite, and its leaks as sentences.
pub(super) fn notes(scenario: &ScenarioReport) -> impl Iterator<Item = String> {
    let leaks = scenario.leaks.iter().map(|Leak { key, place, blocks, bytes }| {
        format!("left alive: {blocks} blocks, {bytes} bytes of {place}: {key}")
    });
    scenario.notes.iter().cloned().chain(leaks)
}

impl From<SiteChange> for SiteRow {
    fn from(SiteChange { key, place, recorded, measured }: SiteChange) -> Self {
        let place = place.filter(|place| !place.is_empty());
        Self { key, place, base: recorded, head: measured }
    }
}
