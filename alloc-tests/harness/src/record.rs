//! New baselines from the numbers and the call sites of this run.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail, ensure};
use baselines::alloc::Counts;
use baselines::compare::{Change, provenance_differences};
use baselines::sites::Sites;
use baselines::suite_report::ScenarioReport;
use baselines::{AllocBaseline, Error};

use crate::Registry;
use crate::attribute::{Attribution, Question};
use crate::child::{self, Task};
use crate::result::is_unfit;
use crate::suite::{Recorded, Suite, TARGET};

/// Records `results` and returns a summary of the changes.
///
/// Numbers of other scenarios stay as they are; with `prune`, those without a scenario are removed.
pub(crate) fn record(
    suite: &Suite,
    registry: &Registry,
    recorded: Recorded,
    results: &BTreeMap<String, ScenarioReport>,
    reason: &str,
    prune: bool,
) -> anyhow::Result<String> {
    let unfit = results.iter().filter(|(_, one)| is_unfit(one));
    let unfit: Vec<&str> = unfit.map(|(id, _)| id.as_str()).collect();
    ensure!(unfit.is_empty(), "nothing recorded: fix {} first", unfit.join(", "));
    let current = suite.provenance()?;
    let measured: BTreeMap<_, _> =
        results.iter().filter_map(|(id, one)| Some((id.clone(), one.measured.clone()?))).collect();
    let Recorded { root, baseline } = recorded;
    let mut baseline = match baseline {
        Ok(baseline) => baseline,
        Err(Error::Missing { .. }) => {
            AllocBaseline { provenance: current.clone(), scenarios: BTreeMap::new() }
        }
        Err(error) => bail!("nothing recorded: {error}; restore the file with git, or delete it"),
    };
    let differences = provenance_differences(&baseline.provenance, &current);
    if !differences.is_empty()
        && baseline
            .scenarios
            .keys()
            .any(|id| registry.contains_key(id.as_str()) && !measured.contains_key(id))
    {
        bail!(
            "nothing recorded: the other numbers in the file come from another build ({}); record all of them, without a filter",
            differences.join("; ")
        );
    }
    let mut sites = BTreeMap::new();
    for (id, counts) in &measured {
        sites.insert(id.clone(), sites_of(id, counts)?);
    }
    let known: BTreeSet<String> = registry.keys().map(|id| (*id).to_owned()).collect();
    let report = baseline.merge(measured, &known, prune);
    baseline.provenance = current;
    for (id, sites) in &sites {
        baselines::sites::save(&baselines::sites::path(&root, id), sites)?;
    }
    for id in &report.pruned {
        let path = baselines::sites::path(&root, id);
        if path.exists() {
            std::fs::remove_file(&path)
                .with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    let file = baselines::alloc::path(&root, TARGET);
    baseline.save(&file)?;

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
