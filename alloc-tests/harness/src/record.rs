//! New baselines from the numbers and the call sites of this run.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use baselines::Update;
use baselines::sites::Sites;
use baselines::suite_report::ScenarioReport;

use crate::attribute::{Attribution, Question};
use crate::child::{self, Task};
use crate::result::is_unfit;
use crate::scenario::Registry;
use crate::setup::{Setup, TARGET};

/// Records `results` below `root` and returns a summary of the changes.
///
/// Numbers of other scenarios stay as they are; with `prune`, those without a scenario are removed.
pub(crate) fn record(
    setup: &Setup,
    registry: &Registry,
    root: &Path,
    results: &BTreeMap<String, ScenarioReport>,
    reason: &str,
    prune: bool,
) -> anyhow::Result<String> {
    let unfit = results.iter().filter(|(_, one)| is_unfit(one));
    let unfit: Vec<&str> = unfit.map(|(id, _)| id.as_str()).collect();
    ensure!(unfit.is_empty(), "nothing recorded: fix {} first", unfit.join(", "));
    let counted = results.iter().filter_map(|(id, one)| Some((id, one.measured.clone()?)));
    let measured = counted.map(|(id, counts)| Ok((id.clone(), (counts, sites_of(id)?))));
    let update = Update {
        target: TARGET,
        provenance: setup.provenance(),
        measured: measured.collect::<anyhow::Result<_>>()?,
        judged_by: BTreeMap::new(),
        passed: BTreeMap::new(),
        known: Some(registry.keys().map(|id| (*id).to_owned()).collect()),
        prune,
    };
    let summary = update.record(root)?;
    Ok(format!(
        "{summary}\ncommit it together with the code that changed the numbers, with this reason in the body: {reason}\n"
    ))
}

fn sites_of(id: &str) -> anyhow::Result<Sites> {
    let answer: Attribution = child::ask(id, Task::Attribute(Question::Sites))
        .with_context(|| format!("nothing recorded: no call sites of {id}"))?;
    Ok(answer.sites)
}
