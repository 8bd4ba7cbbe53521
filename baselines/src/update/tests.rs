use crate::sites::SiteCost;

use super::*;

const TARGET: &str = "x86_64-unknown-linux-gnu";

fn counts(blocks: [u64; 2]) -> Counts {
    Counts { ops: [10, 20], blocks, ..Counts::default() }
}

fn sites(blocks: [u64; 2]) -> Sites {
    Sites::from([("chat::say".to_owned(), SiteCost { blocks, bytes: [1, 1] })])
}

fn provenance(rustc: &str) -> Provenance {
    Provenance { rustc: rustc.to_owned(), profile: "release".to_owned(), packages: BTreeMap::new() }
}

fn update(rustc: &str, measured: &[(&str, [u64; 2])]) -> Update<'static> {
    let of = |(id, blocks): &(&str, [u64; 2])| (id.to_string(), (counts(*blocks), sites(*blocks)));
    Update {
        target: TARGET,
        provenance: provenance(rustc),
        measured: measured.iter().map(of).collect(),
        judged_by: BTreeMap::new(),
        passed: BTreeMap::new(),
        known: None,
        prune: false,
    }
}

/// A folder with the numbers of `a` and `b`.
fn recorded() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    update("1.95.0", &[("a", [1, 2]), ("b", [1, 2])]).record(root.path()).unwrap();
    root
}

fn blocks(root: &Path, id: &str) -> [u64; 2] {
    let baseline = AllocBaseline::load(&alloc::path(root, TARGET)).unwrap();
    let found = baseline.scenarios[id].blocks;
    assert_eq!(sites::blocks(&sites::load(&sites::path(root, id)).unwrap()), found, "{id}");
    found
}

#[test]
fn an_update_replaces_numbers_and_sites_and_keeps_the_others() {
    let root = recorded();
    let summary = update("1.95.0", &[("a", [3, 4])]).record(root.path()).unwrap();
    assert_eq!((blocks(root.path(), "a"), blocks(root.path(), "b")), ([3, 4], [1, 2]));
    let said = summary.to_string();
    assert!(
        said.contains("0 added, 1 changed, 0 pruned\n  loosened: a blocks 1 → 3 at N"),
        "{said}"
    );
}

#[test]
fn numbers_that_were_judged_by_others_than_the_recorded_ones_are_stale() {
    let root = recorded();
    for by in [None, Some(counts([7, 7]))] {
        let mut one = update("1.95.0", &[("a", [3, 4])]);
        one.judged_by.insert("a".to_owned(), by);
        let refusal = one.record(root.path()).unwrap_err();
        assert!(matches!(&refusal, Refusal::Stale(ids) if ids == &["a"]), "{refusal}");
    }
    assert_eq!(blocks(root.path(), "a"), [1, 2]);
    let mut one = update("1.95.0", &[("a", [3, 4])]);
    one.judged_by.insert("a".to_owned(), Some(counts([1, 2])));
    one.record(root.path()).unwrap();
}

#[test]
fn numbers_of_two_builds_are_not_mixed() {
    let root = recorded();
    let refusal = update("1.96.0", &[("a", [3, 4])]).record(root.path()).unwrap_err();
    assert!(matches!(&refusal, Refusal::OtherBuild { left, .. } if left == &["b"]), "{refusal}");
    assert!(refusal.to_string().contains("rustc 1.95.0 → 1.96.0"), "{refusal}");
    update("1.96.0", &[("a", [3, 4]), ("b", [1, 2])]).record(root.path()).unwrap();
}

#[test]
fn numbers_that_passed_in_the_new_build_stay() {
    let root = recorded();
    let mut one = update("1.96.0", &[("a", [3, 4])]);
    one.passed.insert("b".to_owned(), counts([7, 7]));
    let refusal = one.clone().record(root.path()).unwrap_err();
    assert!(matches!(refusal, Refusal::OtherBuild { .. }), "it passed by other numbers: {refusal}");
    one.passed.insert("b".to_owned(), counts([1, 2]));
    one.record(root.path()).unwrap();
    let baseline = AllocBaseline::load(&alloc::path(root.path(), TARGET)).unwrap();
    assert_eq!(baseline.provenance, provenance("1.96.0"));
}

#[test]
fn sites_of_another_measurement_are_refused() {
    let root = recorded();
    let mut one = update("1.95.0", &[("a", [3, 4])]);
    one.measured.get_mut("a").unwrap().1 = sites([3, 3]);
    let refusal = one.record(root.path()).unwrap_err().to_string();
    assert!(refusal.contains("a add up to [3, 3] blocks at N and 2N, but [3, 4]"), "{refusal}");
}

#[test]
fn recorded_system_calls_are_not_lost() {
    let root = recorded();
    let mut one = update("1.95.0", &[("a", [1, 2])]);
    one.measured.get_mut("a").unwrap().0.calls = Some([5, 5]);
    one.record(root.path()).unwrap();
    let refusal = update("1.95.0", &[("a", [1, 2])]).record(root.path()).unwrap_err();
    assert!(matches!(&refusal, Refusal::NoCalls(id) if id == "a"), "{refusal}");
}

#[test]
fn a_file_that_cannot_be_read_is_kept() {
    let root = recorded();
    let file = alloc::path(root.path(), TARGET);
    std::fs::write(&file, "{").unwrap();
    let refusal = update("1.95.0", &[("a", [3, 4])]).record(root.path()).unwrap_err();
    assert!(matches!(refusal, Refusal::Unreadable(_)), "{refusal}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{");
}

#[test]
fn a_scenario_that_is_gone_is_kept_until_it_is_pruned() {
    let root = recorded();
    let known = Some(BTreeSet::from(["a".to_owned()]));
    let one = Update { known, ..update("1.95.0", &[("a", [1, 2])]) };
    let said = one.clone().record(root.path()).unwrap().to_string();
    assert!(
        said.ends_with("kept, though no scenario has this id: b (--prune removes it)"),
        "{said}"
    );
    let summary = Update { prune: true, ..one }.record(root.path()).unwrap();
    assert_eq!(summary.report.pruned, ["b"]);
    assert!(!sites::path(root.path(), "b").exists());
}
