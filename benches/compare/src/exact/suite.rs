//! A tree's own allocation suite, as a process: what it is asked, and the part of its report that is needed here.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use baselines::Verdict;
use baselines::alloc::Counts;
use baselines::compare::Live;
use baselines::sites::SiteCost;
use serde::Deserialize;

use super::{SiteRow, Sites};
use crate::cleanup;

/// Kept runs of each scenario at each N. They must agree; the suite itself, run alone, insists on ten.
const RUNS: &str = "3";

/// What a suite found.
#[derive(Debug, Deserialize)]
pub(super) struct Report {
    pub(super) scenarios: BTreeMap<String, Scenario>,
}

/// One scenario. Unknown fields belong to a newer runner; the counts are absent where nothing could be counted.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Scenario {
    ops: Option<[u64; 2]>,
    blocks: Option<[u64; 2]>,
    bytes: Option<[u64; 2]>,
    reads: Option<[u64; 2]>,
    writes: Option<[u64; 2]>,
    peak_bytes: Option<[u64; 2]>,
    held_bytes: Option<[u64; 2]>,
    verdict: String,
    pub(super) unit: String,
    live_blocks: u64,
    live_bytes: u64,
    live_fds: u64,
    live_tasks: u64,
    #[serde(default)]
    sites_changed: Vec<Site>,
    #[serde(default)]
    leaks: Vec<Leak>,
    #[serde(default)]
    notes: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Site {
    site: String,
    place: Option<String>,
    recorded: Option<Cost>,
    measured: Option<Cost>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Cost {
    blocks: [u64; 2],
    bytes: [u64; 2],
}

#[derive(Clone, Debug, Deserialize)]
struct Leak {
    key: String,
    place: String,
    blocks: u64,
    bytes: u64,
}

/// Counts everything, with nothing to hold it to.
pub(super) fn measure(name: &str, runner: &Path, nothing: &Path) -> Result<Report> {
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
fn report(command: &mut Command) -> Result<Report> {
    let output = cleanup::output(command)?;
    serde_json::from_slice(&output.stdout).with_context(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        format!("the suite ended with {} and no report; it said: {}", output.status, said.trim())
    })
}

impl Scenario {
    pub(super) fn counts(&self) -> Option<Counts> {
        Some(Counts {
            ops: self.ops?,
            blocks: self.blocks?,
            bytes: self.bytes?,
            reads: self.reads?,
            writes: self.writes?,
            peak_bytes: self.peak_bytes?,
            held_bytes: self.held_bytes,
        })
    }

    pub(super) fn live(&self) -> Live {
        let Self { live_blocks, live_bytes, live_fds, live_tasks, .. } = *self;
        Live { blocks: live_blocks, bytes: live_bytes, fds: live_fds, tasks: live_tasks }
    }

    /// The verdict of a scenario whose counts mean nothing.
    pub(super) fn untrusted(&self) -> Option<Verdict> {
        [Verdict::Blind, Verdict::Nondeterministic, Verdict::Failed]
            .into_iter()
            .find(|verdict| verdict.as_str() == self.verdict)
    }

    /// What the suite had to say, and what it found alive.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let leaks = self.leaks.iter().map(|Leak { key, place, blocks, bytes }| {
            format!("left alive: {blocks} blocks, {bytes} bytes of {place}: {key}")
        });
        self.notes.iter().cloned().chain(leaks)
    }
}

impl From<Site> for SiteRow {
    fn from(site: Site) -> Self {
        let cost = |cost: Cost| SiteCost { blocks: cost.blocks, bytes: cost.bytes };
        Self {
            key: site.site,
            place: site.place.filter(|place| !place.is_empty()),
            base: site.recorded.map(cost),
            head: site.measured.map(cost),
        }
    }
}
