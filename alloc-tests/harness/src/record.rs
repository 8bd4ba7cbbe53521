//! New baselines from the numbers and the call sites of this run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail, ensure};
use baselines::alloc::Counts;
use baselines::compare::{Change, provenance_differences};
use baselines::sites::Sites;
use baselines::suite_report::ScenarioReport;
use baselines::{AllocBaseline, Error, Recording};

use crate::attribute::{Attribution, Question};
use crate::child::{self, Task};
use crate::result::is_unfit;
use crate::scenario::Registry;
use crate::setup::{Recorded, Setup, TARGET};

/// Records `results` below `root` and returns a summary of the changes.
///
/// Numbers of other scenarios stay as they are; with `prune`, those without a scenario are removed.
pub(crate) fn record(
    setup: &Setup,
    registry: &Registry,
    root: PathBuf,
    results: &BTreeMap<String, ScenarioReport>,
    reason: &str,
    prune: bool,
) -> anyhow::Result<String> {
    let unfit = results.iter().filter(|(_, one)| is_unfit(one));
    let unfit: Vec<&str> = unfit.map(|(id, _)| id.as_str()).collect();
    ensure!(unfit.is_empty(), "nothing recorded: fix {} first", unfit.join(", "));
    let measured: BTreeMap<_, _> =
        results.iter().filter_map(|(id, one)| Some((id.clone(), one.measured.clone()?))).collect();
    let sites = measured.iter().map(|(id, counts)| Ok((id, sites_of(id, counts)?)));
    let sites: BTreeMap<_, _> = sites.collect::<anyhow::Result<_>>()?;

    // Another update may have recorded other scenarios since this run began: their numbers are read now.
    let mut recording = Recording::begin(&root).map_err(|error| nothing(&error))?;
    let mut baseline = merged_into(setup, registry, root, &measured)?;
    let known: BTreeSet<String> = registry.keys().map(|id| (*id).to_owned()).collect();
    let report = baseline.merge(measured.clone(), &known, prune);
    for (id, sites) in &sites {
        let path = baselines::sites::path(recording.root(), id);
        baselines::sites::save(&path, sites, &mut recording).map_err(|error| nothing(&error))?;
    }
    for id in &report.pruned {
        recording.remove(&baselines::sites::path(recording.root(), id));
    }
    let file = baselines::alloc::path(recording.root(), TARGET);
    baseline.save(&file, &mut recording).map_err(|error| nothing(&error))?;
    recording.commit()?;

    let mut lines = vec![format!(
        "recorded in {}: {} added, {} changed, {} pruned",
        file.display(),
        report.added.len(),
        report.changed.len(),
        report.pruned.len()
    )];
    for (id, Change { metric, recorded: [old, old_double], measured: [new, new_double] }) in
        &report.loosened
    {
        let name = metric.name();
        lines.push(format!(
            "  loosened: {id} {name} {old} → {new} at N, {old_double} → {new_double} at 2N"
        ));
    }
    for id in &report.not_produced {
        lines.push(format!("  kept, though no scenario has this id: {id} (--prune removes it)"));
    }
    lines.push(format!(
        "commit it together with the code that changed the numbers, with this reason in the body: {reason}\n"
    ));
    Ok(lines.join("\n"))
}

fn nothing(error: &Error) -> anyhow::Error {
    anyhow!("nothing recorded: {error}")
}

/// The numbers below `root` that `measured` can be merged into, with the provenance of this build.
fn merged_into(
    setup: &Setup,
    registry: &Registry,
    root: PathBuf,
    measured: &BTreeMap<String, Counts>,
) -> anyhow::Result<AllocBaseline> {
    let current = setup.provenance();
    let baseline = match Recorded::load(root).baseline {
        Ok(baseline) => baseline,
        Err(Error::Missing { .. }) => {
            AllocBaseline { provenance: current.clone(), scenarios: BTreeMap::new() }
        }
        Err(error) => bail!("{}; restore the file with git, or delete it", nothing(&error)),
    };
    let differences = provenance_differences(&baseline.provenance, &current);
    let left = |id: &String| registry.contains_key(id.as_str()) && !measured.contains_key(id);
    if !differences.is_empty() && baseline.scenarios.keys().any(left) {
        bail!(
            "nothing recorded: the other numbers in the file come from another build ({}); record all of them, without a filter",
            differences.join("; ")
        );
    }
    for (id, counts) in measured {
        ensure!(
            counts.calls.is_some()
                || baseline.scenarios.get(id).is_none_or(|old| old.calls.is_none()),
            "nothing recorded: system calls of {id} are recorded, and cannot be counted here; record it where seccomp \
             notifications are allowed"
        );
    }
    Ok(AllocBaseline { provenance: current, ..baseline })
}

fn sites_of(id: &str, counts: &Counts) -> anyhow::Result<Sites> {
    let Attribution { sites, .. } = child::ask(id, Task::Attribute(Question::Sites))
        .with_context(|| format!("nothing recorded: no call sites of {id}"))?;
    let total = |n: usize| sites.values().map(|site| site.blocks[n]).sum::<u64>();
    let (found, blocks) = ([total(0), total(1)], counts.blocks);
    ensure!(
        found == blocks,
        "nothing recorded: the call sites of {id} add up to {found:?} blocks at N and 2N, but {blocks:?} were counted"
    );
    Ok(sites)
}
