use std::collections::{BTreeMap, BTreeSet};

use super::{AllocBaseline, Counts, Metric};
use crate::compare::Change;

/// The changes that a merge made to a baseline, in the order of the ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeReport {
    /// Scenarios recorded for the first time.
    pub added: Vec<String>,
    /// Scenarios whose counts differ: id, recorded, measured.
    pub changed: Vec<(String, Counts, Counts)>,
    /// Metrics that may now cost more than before, with the id; a subset of `changed`.
    pub loosened: Vec<(String, Change)>,
    /// Recorded scenarios that no longer exist and were kept.
    pub not_produced: Vec<String>,
    /// Recorded scenarios that no longer exist and were removed.
    pub pruned: Vec<String>,
}

impl AllocBaseline {
    /// Takes the counts of one run and keeps every other entry, so that a filtered run records only its part.
    ///
    /// `known_ids` are all scenarios that exist, measured or not. Other recorded ids are reported, and removed only with
    /// `prune`. The caller sets the provenance.
    pub fn merge(
        &mut self,
        measured: BTreeMap<String, Counts>,
        known_ids: &BTreeSet<String>,
        prune: bool,
    ) -> MergeReport {
        let mut report = MergeReport::default();
        let gone = self
            .scenarios
            .keys()
            .filter(|id| !known_ids.contains(*id) && !measured.contains_key(*id));
        let gone: Vec<_> = gone.cloned().collect();
        if prune {
            self.scenarios.retain(|id, _| gone.binary_search(id).is_err());
            report.pruned = gone;
        } else {
            report.not_produced = gone;
        }
        for (id, new) in measured {
            match self.scenarios.insert(id.clone(), new.clone()) {
                None => report.added.push(id),
                Some(old) if old == new => {}
                Some(old) => {
                    report.loosened.extend(loosened(&old, &new).map(|change| (id.clone(), change)));
                    report.changed.push((id, old, new));
                }
            }
        }
        report
    }
}

fn loosened(old: &Counts, new: &Counts) -> impl Iterator<Item = Change> {
    Metric::ALL.iter().copied().filter_map(move |metric| {
        let change = Change { metric, recorded: old.get(metric)?, measured: new.get(metric)? };
        let grew = if old.ops == new.ops {
            change.grew()
        } else {
            // Totals over different numbers of operations cannot be compared, but their costs can.
            new.per_op(metric) > old.per_op(metric) || new.fixed(metric) > old.fixed(metric)
        };
        grew.then_some(change)
    })
}

#[cfg(test)]
mod tests {
    use super::{super::Provenance, *};

    fn counts(n: u64, blocks: [u64; 2]) -> Counts {
        Counts { ops: [n, 2 * n], blocks, ..Counts::default() }
    }

    fn scenarios(entries: &[(&str, Counts)]) -> BTreeMap<String, Counts> {
        entries.iter().map(|(id, counts)| (id.to_string(), counts.clone())).collect()
    }

    /// Merges into a baseline of `a` and `gone`, where the tree has the scenarios `a` and `b`.
    fn merge(
        old: &Counts,
        measured: &[(&str, Counts)],
        prune: bool,
    ) -> (BTreeMap<String, Counts>, MergeReport) {
        let provenance =
            Provenance { rustc: String::new(), profile: String::new(), packages: BTreeMap::new() };
        let recorded = scenarios(&[("a", old.clone()), ("gone", counts(1, [1, 2]))]);
        let mut baseline = AllocBaseline { provenance, scenarios: recorded };
        let known = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        let report = baseline.merge(scenarios(measured), &known, prune);
        (baseline.scenarios, report)
    }

    #[track_caller]
    fn check_loosened(old: Counts, new: Counts, expected: bool) {
        let (_, report) = merge(&old, &[("a", new.clone())], false);
        assert_eq!(report.changed, [("a".to_owned(), old.clone(), new.clone())]);
        let change = Change { metric: Metric::Blocks, recorded: old.blocks, measured: new.blocks };
        let row = ("a".to_owned(), change);
        assert_eq!(report.loosened, if expected { vec![row] } else { vec![] });
    }

    #[test]
    fn an_entry_that_was_not_run_is_kept() {
        let old = counts(1000, [10, 20]);
        let (after, report) = merge(&old, &[("b", old.clone())], false);
        assert_eq!(after.keys().collect::<Vec<_>>(), ["a", "b", "gone"]);
        assert_eq!(report.added, ["b"]);
        assert_eq!(report.not_produced, ["gone"]);
        assert_eq!((report.changed.len(), report.pruned.len()), (0, 0));
    }

    #[test]
    fn an_entry_without_a_scenario_is_removed_only_with_prune() {
        let old = counts(1000, [10, 20]);
        let (after, report) = merge(&old, &[], true);
        assert_eq!(after.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(
            report,
            MergeReport { pruned: vec!["gone".to_owned()], ..MergeReport::default() }
        );
    }

    #[test]
    fn a_measured_entry_is_never_pruned() {
        let old = counts(1000, [10, 20]);
        let (after, report) = merge(&old, &[("gone", counts(1, [1, 2]))], true);
        assert_eq!(after.keys().collect::<Vec<_>>(), ["a", "gone"]);
        assert_eq!(report, MergeReport::default());
    }

    #[test]
    fn equal_counts_change_nothing() {
        let old = counts(1000, [10, 20]);
        let (_, report) = merge(&old, &[("a", old.clone())], false);
        assert_eq!(
            report,
            MergeReport { not_produced: vec!["gone".to_owned()], ..MergeReport::default() }
        );
    }

    #[test]
    fn more_at_either_size_is_a_loosening_and_less_is_not() {
        check_loosened(counts(1000, [10, 20]), counts(1000, [11, 20]), true);
        check_loosened(counts(1000, [10, 20]), counts(1000, [10, 21]), true);
        check_loosened(counts(1000, [10, 20]), counts(1000, [9, 21]), true);
        check_loosened(counts(1000, [10, 20]), counts(1000, [9, 20]), false);
    }

    #[test]
    fn counts_over_other_operations_are_compared_by_cost() {
        check_loosened(counts(1000, [4010, 8010]), counts(100, [410, 810]), false);
        check_loosened(counts(1000, [4010, 8010]), counts(100, [510, 1010]), true);
        check_loosened(counts(1000, [4010, 8010]), counts(100, [411, 811]), true);
    }
}
