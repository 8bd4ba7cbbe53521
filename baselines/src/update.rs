//! New numbers of some scenarios in the recorded files: the rules of every way to record.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::alloc::{Counts, MergeReport, Provenance};
use crate::compare::{Change, provenance_differences};
use crate::sites::{self, Sites};
use crate::{AllocBaseline, Error, Recording, alloc};

/// Measured numbers that become the recorded ones.
#[derive(Clone, Debug)]
pub struct Update<'a> {
    /// The target triple of the runner.
    pub target: &'a str,
    /// The build that was measured.
    pub provenance: Provenance,
    /// Scenario id to its totals and its call sites.
    pub measured: BTreeMap<String, (Counts, Sites)>,
    /// The recorded totals that scenarios were judged by, `None` if there were none. Scenarios without an entry replace
    /// whatever is recorded.
    pub judged_by: BTreeMap<String, Option<Counts>>,
    /// Scenarios that passed in this build, with the recorded totals that they passed by: their numbers stay true.
    pub passed: BTreeMap<String, Counts>,
    /// All scenarios that exist; `None` if that is not known, and every recorded one may.
    pub known: Option<BTreeSet<String>>,
    /// Whether the numbers of scenarios that do not exist are removed.
    pub prune: bool,
}

/// What was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The file with the numbers.
    pub file: PathBuf,
    /// The changes.
    pub report: MergeReport,
}

/// The reason why nothing is recorded.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The file with the numbers exists and cannot be read.
    #[error("nothing recorded: {0}; restore the file with git, or delete it")]
    Unreadable(Error),
    /// A file cannot be written.
    #[error("nothing recorded: {0}")]
    Unwritable(Error),
    /// The files were being replaced; the next run that reads them completes it.
    #[error("recorded in part: {0}; the next run completes it")]
    Interrupted(Error),
    /// Other numbers were recorded since the scenarios were judged.
    #[error("nothing recorded: other numbers of {} were recorded since; run the test again", .0.join(", "))]
    Stale(Vec<String>),
    /// The numbers that stay come from another build.
    #[error(
        "nothing recorded: the other numbers in the file come from another build ({}); record all of them, without a filter",
        differences.join("; ")
    )]
    OtherBuild {
        /// One part of the provenance each.
        differences: Vec<String>,
        /// The scenarios whose numbers would stay.
        left: Vec<String>,
    },
    /// System calls are recorded, and were not counted.
    #[error(
        "nothing recorded: system calls of {0} are recorded, and cannot be counted here; record it where seccomp \
         notifications are allowed"
    )]
    NoCalls(String),
    /// Call sites that belong to another measurement.
    #[error(
        "nothing recorded: the call sites of {id} add up to {found:?} blocks at N and 2N, but {blocks:?} were counted"
    )]
    Sites {
        /// The scenario.
        id: String,
        /// The sum of its call sites.
        found: [u64; 2],
        /// Its totals.
        blocks: [u64; 2],
    },
}

impl Update<'_> {
    /// Records the numbers and the call sites below `root`, all or none. Numbers of other scenarios stay.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], if the recorded files would not be true afterwards.
    pub fn record(self, root: &Path) -> Result<Summary, Refusal> {
        for (id, (counts, sites)) in &self.measured {
            let (found, blocks) = (sites::blocks(sites), counts.blocks);
            if found != blocks {
                return Err(Refusal::Sites { id: id.clone(), found, blocks });
            }
        }
        // Another update may have recorded other scenarios in the meantime: their numbers are read now.
        let mut recording = Recording::begin(root).map_err(Refusal::Unwritable)?;
        let file = alloc::path(root, self.target);
        let mut baseline = self.merged_into(AllocBaseline::load(&file))?;
        let counts = self.measured.iter().map(|(id, (counts, _))| (id.clone(), counts.clone()));
        let counts: BTreeMap<_, _> = counts.collect();
        let recorded = || baseline.scenarios.keys().cloned().collect();
        let known = self.known.clone().unwrap_or_else(recorded);
        let report = baseline.merge(counts, &known, self.prune);
        for (id, (_, sites)) in &self.measured {
            let path = sites::path(root, id);
            sites::save(&path, sites, &mut recording).map_err(Refusal::Unwritable)?;
        }
        for id in &report.pruned {
            recording.remove(&sites::path(root, id));
        }
        baseline.save(&file, &mut recording).map_err(Refusal::Unwritable)?;
        recording.commit().map_err(Refusal::Interrupted)?;
        Ok(Summary { file, report })
    }

    /// The recorded numbers that the measured ones can be merged into, with the provenance of this build.
    fn merged_into(&self, loaded: Result<AllocBaseline, Error>) -> Result<AllocBaseline, Refusal> {
        let provenance = self.provenance.clone();
        let baseline = match loaded {
            Ok(baseline) => baseline,
            Err(Error::Missing { .. }) => {
                AllocBaseline { provenance: provenance.clone(), scenarios: BTreeMap::new() }
            }
            Err(error) => return Err(Refusal::Unreadable(error)),
        };
        let recorded = |id: &String| baseline.scenarios.get(id);
        let stale = self.judged_by.iter().filter(|(id, by)| recorded(id) != by.as_ref());
        let stale: Vec<_> = stale.map(|(id, _)| id.clone()).collect();
        if !stale.is_empty() {
            return Err(Refusal::Stale(stale));
        }
        let differences = provenance_differences(&baseline.provenance, &provenance);
        let stays = |(id, counts): &(&String, &Counts)| {
            self.known.as_ref().is_none_or(|known| known.contains(*id))
                && !self.measured.contains_key(*id)
                && self.passed.get(*id) != Some(*counts)
        };
        let left = baseline.scenarios.iter().filter(stays).map(|(id, _)| id.clone());
        let left: Vec<_> = left.collect();
        if !differences.is_empty() && !left.is_empty() {
            return Err(Refusal::OtherBuild { differences, left });
        }
        for (id, (counts, _)) in &self.measured {
            if counts.calls.is_none() && recorded(id).is_some_and(|old| old.calls.is_some()) {
                return Err(Refusal::NoCalls(id.clone()));
            }
        }
        Ok(AllocBaseline { provenance, ..baseline })
    }
}

impl fmt::Display for Summary {
    /// A line for the file, one for each metric that may now cost more, and one for each number without a scenario.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MergeReport { added, changed, loosened, not_produced, pruned } = &self.report;
        let [added, changed, pruned] = [added.len(), changed.len(), pruned.len()];
        let file = self.file.display();
        write!(f, "recorded in {file}: {added} added, {changed} changed, {pruned} pruned")?;
        for (id, Change { metric, recorded: [old, old_2n], measured: [new, new_2n] }) in loosened {
            let name = metric.name();
            write!(f, "\n  loosened: {id} {name} {old} → {new} at N, {old_2n} → {new_2n} at 2N")?;
        }
        for id in not_produced {
            write!(f, "\n  kept, though no scenario has this id: {id} (--prune removes it)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
