use std::collections::BTreeMap;

use baselines::sites::{SiteChange, SiteCost};
use serde::Serialize;

use super::Run;
use crate::judged::Judged;
use crate::suite;
use crate::wire::WireCounts;

pub(super) fn render(run: &Run) -> anyhow::Result<String> {
    let provenance = suite::provenance()?;
    let report = Report {
        schema: baselines::alloc::SCHEMA,
        target: suite::TARGET,
        rustc: provenance.rustc,
        profile: provenance.profile,
        lockfile: provenance.lockfile,
        provenance_differs: &run.provenance,
        exit_code: run.exit_code(),
        scenarios: run.judged.iter().map(|one| (one.id.as_str(), Scenario::from(one))).collect(),
    };
    Ok(serde_json::to_string_pretty(&report)? + "\n")
}

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    target: &'a str,
    rustc: String,
    profile: String,
    lockfile: String,
    provenance_differs: &'a [String],
    exit_code: u8,
    scenarios: BTreeMap<&'a str, Scenario<'a>>,
}

/// A baseline's entry, with what came of it.
#[derive(Serialize)]
struct Scenario<'a> {
    #[serde(flatten)]
    measured: Option<WireCounts>,
    verdict: &'a str,
    unit: &'a str,
    recorded: Option<WireCounts>,
    live_blocks: u64,
    live_bytes: u64,
    live_fds: u64,
    live_tasks: u64,
    sites_changed: Vec<Site<'a>>,
    leaks: &'a [crate::attribute::Leak],
    notes: &'a [String],
}

#[derive(Serialize)]
struct Site<'a> {
    site: &'a str,
    place: Option<&'a str>,
    recorded: Option<Cost>,
    measured: Option<Cost>,
}

#[derive(Serialize)]
struct Cost {
    blocks: [u64; 2],
    bytes: [u64; 2],
}

impl<'a> From<&'a Judged> for Scenario<'a> {
    fn from(one: &'a Judged) -> Self {
        Self {
            measured: one.measured.as_ref().map(WireCounts::from),
            verdict: one.judgement.verdict.as_str(),
            unit: one.unit.name(),
            recorded: one.recorded.as_ref().map(WireCounts::from),
            live_blocks: one.live.blocks,
            live_bytes: one.live.bytes,
            live_fds: one.live.fds,
            live_tasks: one.live.tasks,
            sites_changed: one.sites.iter().map(|site| changed(one, site)).collect(),
            leaks: &one.leaks,
            notes: &one.notes,
        }
    }
}

fn changed<'a>(one: &'a Judged, site: &'a SiteChange) -> Site<'a> {
    let cost = |cost: SiteCost| Cost { blocks: cost.blocks, bytes: cost.bytes };
    Site {
        site: &site.key,
        place: one.places.get(&site.key).map(String::as_str),
        recorded: site.recorded.map(cost),
        measured: site.measured.map(cost),
    }
}
