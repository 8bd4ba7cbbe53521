//! Blocks, bytes, reads and writes of base and head, each counted by the allocation scenarios of its own tree.

mod suite;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use baselines::alloc::{Counts, Metric};
use baselines::compare::{Judgement, Measurement, Slack, judge};
use baselines::sites::SiteChange;
use baselines::suite_report::{Leak, ScenarioReport};
use baselines::{SuiteReport, Verdict};

use super::model::{ExactRow, PerOp, SiteRow};

/// Counts with both runners and compares head with base. `scratch` is an empty folder for temporary files. `progress`
/// is told each step.
///
/// # Errors
///
/// If a runner does not start or prints no readable report. A scenario that fails is a verdict instead.
pub fn compare(
    base: &Path,
    head: &Path,
    scratch: &Path,
    progress: &dyn Fn(&str),
) -> Result<Vec<ExactRow>> {
    let no_baselines = scratch.join("nothing-recorded");
    progress("counting base");
    let base_report = suite::measure("base", base, &[], &no_baselines)?;
    progress("counting head");
    let head_report = suite::measure("head", head, &[], &no_baselines)?;
    let mut rows = judge_all(&base_report, &head_report);
    let moved: Vec<&str> =
        rows.iter().filter(|row| !row.changes.is_empty()).map(|row| row.id.as_str()).collect();
    if !moved.is_empty() {
        progress("looking for call sites");
        let mut sites = changed_sites(base, head, &moved, &scratch.join("recorded"));
        for row in rows.iter_mut().filter(|row| !row.changes.is_empty()) {
            match &mut sites {
                Ok(sites) => {
                    let (sites, notes) = sites.remove(&row.id).unwrap_or_default();
                    row.sites = sites;
                    let known: BTreeSet<_> = row.notes.iter().cloned().collect();
                    row.notes.extend(notes.into_iter().filter(|note| !known.contains(note)));
                }
                Err(error) => row.notes.push(format!("no call sites: {error:#}")),
            }
        }
    }
    Ok(rows)
}

/// Call sites that differ, and what the suite says of head beside them: the lines of its system calls.
type Explained = (Vec<SiteRow>, Vec<String>);

/// The call sites of the scenarios `ids` that differ: base records them, head is held to the record.
fn changed_sites(
    base: &Path,
    head: &Path,
    ids: &[&str],
    recorded: &Path,
) -> Result<BTreeMap<String, Explained>> {
    suite::record("base", base, ids, recorded)?;
    let report = suite::measure("head", head, ids, recorded)?;
    let row = |SiteChange { key, place, recorded, measured }| {
        let place = place.filter(|place: &String| !place.is_empty());
        SiteRow { key, place, base: recorded, head: measured }
    };
    let scenarios = report.scenarios.into_iter();
    let explained = |one: ScenarioReport| {
        let notes = one.notes.iter().map(|note| format!("head: {note}")).collect();
        (one.sites_changed.into_iter().map(row).collect(), notes)
    };
    Ok(scenarios.map(|(id, one)| (id, explained(one))).collect())
}

/// A row for each scenario of base or head.
fn judge_all(base: &SuiteReport, head: &SuiteReport) -> Vec<ExactRow> {
    let ids: BTreeSet<&String> = base.scenarios.keys().chain(head.scenarios.keys()).collect();
    ids.into_iter()
        .map(|id| judge_one(id, base.scenarios.get(id), head.scenarios.get(id)))
        .collect()
}

fn judge_one(id: &str, base: Option<&ScenarioReport>, head: Option<&ScenarioReport>) -> ExactRow {
    let counts = |side: Option<&ScenarioReport>| side.and_then(|side| side.measured.clone());
    let (base_counts, head_counts) = (counts(base), counts(head));
    let some = head_counts.as_ref().or(base_counts.as_ref());
    let Judgement { verdict, changes } = verdict(base, head);
    let mut notes = Vec::new();
    for (name, side) in [("base", base), ("head", head)] {
        notes.extend(side.into_iter().flat_map(notes_of).map(|note| format!("{name}: {note}")));
    }
    ExactRow {
        id: id.to_owned(),
        unit: head.or(base).map_or_else(String::new, |side| side.unit.clone()),
        ops: some.map_or([0, 0], |counts| counts.ops),
        base: base_counts.as_ref().and_then(per_op),
        head: head_counts.as_ref().and_then(per_op),
        changes,
        sites: Vec::new(),
        notes,
        verdict,
    }
}

/// Two counted sides are judged by `baselines::compare`. A side that failed or leaked is worse than one that did not.
fn verdict(base: Option<&ScenarioReport>, head: Option<&ScenarioReport>) -> Judgement {
    let bare = |verdict| Judgement { verdict, changes: Vec::new() };
    let (Some(base), Some(head)) = (base, head) else {
        return bare(head.map_or(Verdict::Stale, of_new));
    };
    for side in [head, base] {
        if is_untrusted(side.verdict) {
            return bare(side.verdict);
        }
    }
    match (&base.measured, &head.measured) {
        (Some(recorded), Some(counts)) => {
            let (counts, live) = (counts.clone(), head.live);
            let measurement = Measurement::Counted { counts, live, wavers: false };
            let judgement = judge(Some(recorded), Some(&measurement), None, &head.slack);
            if judgement.verdict == Verdict::Pass && !base.live.is_zero() {
                return bare(Verdict::Improved);
            }
            judgement
        }
        (Some(_), None) => {
            bare(if head.live.is_zero() { Verdict::Regressed } else { Verdict::Leaked })
        }
        (None, Some(_)) => bare(Verdict::Improved),
        (None, None) => bare(Verdict::Failed),
    }
}

/// A scenario without a base is missing, unless it has found a fault that needs no base.
fn of_new(head: &ScenarioReport) -> Verdict {
    if !head.live.is_zero() {
        Verdict::Leaked
    } else if is_untrusted(head.verdict) || head.measured.is_none() {
        head.verdict
    } else {
        Verdict::Missing
    }
}

fn per_op(counts: &Counts) -> Option<PerOp> {
    Some(PerOp {
        blocks: counts.per_op(Metric::Blocks)?,
        bytes: counts.per_op(Metric::Bytes)?,
        reads: counts.per_op(Metric::Reads),
        writes: counts.per_op(Metric::Writes),
    })
}

/// Whether the counts of a scenario mean nothing.
fn is_untrusted(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Blind | Verdict::Nondeterministic | Verdict::Failed)
}

/// The notes of the suite, its slack and its leaks as sentences.
fn notes_of(scenario: &ScenarioReport) -> impl Iterator<Item = String> {
    let slack = scenario.slack.iter().map(|Slack { metric, amount, reason }| {
        format!("slack of {amount} on {}: {reason}", metric.name())
    });
    let wavering = scenario.wavering.iter().map(|one| format!("differs: {one}"));
    let leaks = scenario.leaks.iter().map(|Leak { key, place, blocks, bytes }| {
        format!("left alive: {blocks} blocks, {bytes} bytes of {place}: {key}")
    });
    slack.chain(wavering).chain(scenario.notes.iter().cloned()).chain(leaks)
}

#[cfg(test)]
mod tests;
