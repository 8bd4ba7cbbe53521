//! Blocks, bytes, reads and writes of both sides, each counted by the allocation scenarios of its own tree.

mod suite;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use baselines::alloc::{Counts, Metric};
use baselines::compare::{Judgement, Measurement, judge};
use baselines::suite_report::ScenarioReport;
use baselines::{SuiteReport, Verdict};

use super::model::{ExactRow, PerOp, SiteRow};

/// Counts with both runners, and holds head to base. `scratch` is a folder for what lies in between.
///
/// # Errors
///
/// If a runner cannot be run or does not report. What a scenario finds out is a verdict.
pub fn compare(
    base: &Path,
    head: &Path,
    scratch: &Path,
    progress: &dyn Fn(&str),
) -> Result<Vec<ExactRow>> {
    let nothing = scratch.join("nothing-recorded");
    progress("counting base");
    let base_report = suite::measure("base", base, &nothing)?;
    progress("counting head");
    let head_report = suite::measure("head", head, &nothing)?;
    let mut rows = judge_all(&base_report, &head_report);
    let moved: Vec<&str> =
        rows.iter().filter(|row| !row.changes.is_empty()).map(|row| row.id.as_str()).collect();
    if !moved.is_empty() {
        progress("looking for call sites");
        let recorded = scratch.join("recorded");
        let mut sites = match suite::record(base, &moved, &recorded) {
            Ok(()) => suite::sites(head, &moved, &recorded),
            Err(error) => Err(error),
        };
        for row in rows.iter_mut().filter(|row| !row.changes.is_empty()) {
            match &mut sites {
                Ok(sites) => row.sites = sites.remove(&row.id).unwrap_or_default(),
                Err(error) => row.notes.push(format!("no call sites: {error:#}")),
            }
        }
    }
    Ok(rows)
}

/// A row for every scenario that either side has.
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
        notes.extend(side.into_iter().flat_map(suite::notes).map(|note| format!("{name}: {note}")));
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

/// The rules of `baselines::compare` where both sides could be counted. A side that broke or leaked is worse than one
/// that did not, whichever it is.
fn verdict(base: Option<&ScenarioReport>, head: Option<&ScenarioReport>) -> Judgement {
    let bare = |verdict| Judgement { verdict, changes: Vec::new() };
    let (Some(base), Some(head)) = (base, head) else {
        return bare(if base.is_none() { Verdict::Missing } else { Verdict::Stale });
    };
    for side in [head, base] {
        if let Some(verdict) = suite::untrusted(side) {
            return bare(verdict);
        }
    }
    match (&base.measured, &head.measured) {
        (Some(recorded), Some(counts)) => {
            let measurement = Measurement::Counted { counts: counts.clone(), live: head.live };
            let judgement = judge(Some(recorded), Some(&measurement), None);
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

fn per_op(counts: &Counts) -> Option<PerOp> {
    Some(PerOp {
        blocks: counts.per_op(Metric::Blocks)?,
        bytes: counts.per_op(Metric::Bytes)?,
        reads: counts.per_op(Metric::Reads)?,
        writes: counts.per_op(Metric::Writes)?,
    })
}

type Sites = BTreeMap<String, Vec<SiteRow>>;

#[cfg(test)]
mod tests;
