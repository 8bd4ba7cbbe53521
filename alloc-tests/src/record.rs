//! New baselines: numbers and call sites of what was just measured.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context, bail, ensure};
use baselines::compare::provenance_differences;
use baselines::{AllocBaseline, Error};

use crate::Registry;
use crate::attribute::Question;
use crate::child::{self, Reply, Task};
use crate::judged::Judged;
use crate::suite::{self, Recorded};

/// Records `judged` and tells what that changed.
///
/// Read, modify, write: what was not measured stays as it is, unless it has no scenario any more and `prune` is set.
///
/// # Errors
///
/// If something measured must not be recorded (a leak, for one), or a file cannot be read or written; then nothing is.
pub fn record(
    registry: &Registry,
    recorded: Recorded,
    judged: &[Judged],
    reason: &str,
    prune: bool,
) -> anyhow::Result<String> {
    let unfit: Vec<&str> =
        judged.iter().filter(|one| one.is_unfit()).map(|one| one.id.as_str()).collect();
    ensure!(unfit.is_empty(), "nothing recorded: {} cannot be; mend it first", unfit.join(", "));
    let current = suite::provenance()?;
    let measured: BTreeMap<_, _> = judged
        .iter()
        .filter_map(|one| one.measured.clone().map(|counts| (one.id.clone(), counts)))
        .collect();
    let Recorded { root, baseline } = recorded;
    let mut baseline = match baseline {
        Ok(baseline) => baseline,
        Err(Error::Missing { .. }) => {
            AllocBaseline { provenance: current.clone(), scenarios: BTreeMap::new() }
        }
        Err(error) => {
            return Err(error).context("nothing recorded; restore the file from git, or delete it");
        }
    };
    let differences = provenance_differences(&baseline.provenance, &current);
    if !differences.is_empty()
        && baseline
            .scenarios
            .keys()
            .any(|id| registry.contains_key(id.as_str()) && !measured.contains_key(id))
    {
        bail!(
            "nothing recorded: the other numbers of the file come from another build ({}); record all of them, without a filter",
            differences.join("; ")
        );
    }
    let mut sites = BTreeMap::new();
    for one in judged.iter().filter(|one| one.measured.is_some()) {
        sites.insert(one.id.clone(), sites_of(one)?);
    }
    let known: BTreeSet<String> = registry.keys().map(|id| (*id).to_owned()).collect();
    let report = baseline.merge(measured, &known, prune);
    baseline.provenance = current;
    for (id, sites) in &sites {
        baselines::sites::save(&baselines::sites::path(&root, id), sites)?;
    }
    for id in &report.pruned {
        let path = baselines::sites::path(&root, id);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", path.display()));
            }
            _ => {}
        }
    }
    let file = baselines::alloc::path(&root, suite::TARGET);
    baseline.save(&file)?;

    let mut text = String::new();
    let mut line = |words: String| writeln!(text, "{words}").expect("a string takes everything");
    line(format!(
        "recorded in baselines/alloc/{}.json: {} added, {} changed, {} pruned",
        suite::TARGET,
        report.added.len(),
        report.changed.len(),
        report.pruned.len()
    ));
    for (id, metric, old, new) in &report.loosened {
        line(format!(
            "  loosened: {id} {} {} → {} at N, {} → {} at 2N",
            metric.name(),
            old[0],
            new[0],
            old[1],
            new[1]
        ));
    }
    for id in &report.not_produced {
        line(format!("  kept, though no scenario is called so: {id} (--prune removes it)"));
    }
    line(format!(
        "commit it together with the code that moved it, and say why in the body: {reason}"
    ));
    Ok(text)
}

fn sites_of(judged: &Judged) -> anyhow::Result<baselines::sites::Sites> {
    let reply = child::ask(&judged.id, Task::Attribute(Question::Sites))?;
    let Reply::Attributed(attribution) = reply else {
        bail!("nothing recorded: no call sites of {}: {reply:?}", judged.id)
    };
    let sites = attribution.sites;
    let total = |n: usize| sites.values().map(|site| site.blocks[n]).sum::<u64>();
    let blocks = judged.measured.as_ref().map(|counts| counts.blocks);
    ensure!(
        blocks == Some([total(0), total(1)]),
        "nothing recorded: the call sites of {} add up to {} and {} blocks, but {blocks:?} were counted",
        judged.id,
        total(0),
        total(1)
    );
    Ok(sites)
}
