//! What is kept, and what is not.

use std::collections::BTreeMap;

use baselines::AllocBaseline;
use baselines::sites::SiteCost;

use super::*;
use crate::result::unmeasured;

const ID: &str = "echo_10_msgs";

fn setup(root: &Path) -> Setup {
    Setup {
        package: "chat".to_owned(),
        test: "alloc".to_owned(),
        name: "chat::alloc".to_owned(),
        root: PathBuf::new(),
        baselines: root.to_owned(),
        packages: BTreeMap::new(),
        command: String::new(),
        is_strict: false,
    }
}

fn counts(blocks: u64) -> Counts {
    Counts { ops: [10, 20], blocks: [blocks; 2], calls: Some([1, 1]), ..Counts::default() }
}

fn sites() -> Option<Sites> {
    let cost = SiteCost { blocks: [3; 2], bytes: [8, 8] };
    Some(Sites::from([("chat::say".to_owned(), cost)]))
}

fn recorded(setup: &Setup, rustc: Option<&str>, counts: Option<Counts>) -> Recorded {
    let mut provenance = setup.provenance();
    provenance.rustc = rustc.map_or(provenance.rustc, str::to_owned);
    let scenarios = counts.map(|counts| (ID.to_owned(), counts)).into_iter().collect();
    Recorded {
        root: setup.baselines.clone(),
        baseline: Ok(AllocBaseline { provenance, scenarios }),
    }
}

fn report(verdict: Verdict, recorded: Option<Counts>) -> ScenarioReport {
    ScenarioReport { verdict, measured: Some(counts(3)), ..unmeasured("message", recorded) }
}

/// What a store has after `report`, where one of a regression was before.
fn kept(
    change: impl FnOnce(&mut ScenarioReport),
    sites: Option<Sites>,
    rustc: Option<&str>,
) -> Vec<Verdict> {
    let folder = tempfile::tempdir().expect("there is room");
    let setup = setup(folder.path());
    let store = Store::at(&setup, None).expect("it is in the tree");
    let mut one = report(Verdict::Regressed, Some(counts(2)));
    let before = recorded(&setup, rustc, one.recorded.clone());
    store.settle(ID, &one, self::sites(), &before);
    assert!(store.has_kept());
    assert!(pending::folder(folder.path()).join(".gitignore").exists());
    change(&mut one);
    store.settle(ID, &one, sites, &recorded(&setup, rustc, one.recorded.clone()));
    let found = pending::find(folder.path()).expect("they are read back");
    found.into_iter().map(|(_, pending)| pending.verdict).collect()
}

#[test]
fn numbers_that_could_be_recorded_are_kept() {
    for (verdict, old) in [
        (Verdict::Missing, None),
        (Verdict::Improved, Some(counts(4))),
        (Verdict::NotComparable, Some(Counts { ops: [5, 10], ..counts(3) })),
    ] {
        let change = |one: &mut ScenarioReport| (one.verdict, one.recorded) = (verdict, old);
        assert_eq!(kept(change, sites(), None), [verdict]);
    }
}

#[test]
fn a_scenario_that_passes_keeps_nothing_but_that_another_build_confirms_it() {
    let pass =
        |one: &mut ScenarioReport| (one.verdict, one.recorded) = (Verdict::Pass, Some(counts(3)));
    assert_eq!(kept(pass, None, None), []);
    assert_eq!(kept(pass, None, Some("1.0.0")), [Verdict::Pass]);
}

#[test]
fn numbers_that_could_not_be_recorded_are_not_kept() {
    for verdict in [Verdict::Leaked, Verdict::Nondeterministic, Verdict::Blind, Verdict::Failed] {
        assert_eq!(kept(|one| one.verdict = verdict, sites(), None), [], "{verdict:?}");
    }
    assert_eq!(kept(|one| one.measured = None, sites(), None), [], "a broken server");
    assert_eq!(kept(|one| one.wavering = vec!["blocks".to_owned()], sites(), None), []);
    assert_eq!(kept(|_| (), None, None), [], "no call sites");
    let without_calls = |one: &mut ScenarioReport| {
        one.measured = Some(Counts { calls: None, ..counts(3) });
    };
    assert_eq!(kept(without_calls, sites(), None), []);
}

#[test]
fn a_baseline_that_cannot_be_read_decides_nothing() {
    let folder = tempfile::tempdir().expect("there is room");
    let setup = setup(folder.path());
    let store = Store::at(&setup, None).expect("it is in the tree");
    let missing = report(Verdict::Missing, None);
    let path = PathBuf::from("x");
    let with = |error| Recorded { root: setup.baselines.clone(), baseline: Err(error) };
    store.settle(ID, &missing, sites(), &with(Error::Missing { path: path.clone() }));
    assert_eq!(pending::find(folder.path()).expect("it is read").len(), 1);
    let torn = report(Verdict::Failed, None);
    let reason = "a conflict".to_owned();
    store.settle(ID, &torn, None, &with(Error::NotComparable { path, reason }));
    assert_eq!(pending::find(folder.path()).expect("it is read").len(), 1);
}

#[test]
fn a_planted_fault_is_never_accepted() {
    let folder = tempfile::tempdir().expect("there is room");
    let setup = setup(folder.path());
    let store = Store::at(&setup, None).expect("it is in the tree");
    let one = report(Verdict::Missing, None);
    store.settle("planted_leak", &one, sites(), &recorded(&setup, None, None));
    assert!(!store.has_kept() && !pending::folder(folder.path()).exists());
}

#[test]
fn a_folder_outside_of_the_tree_is_sorted_by_package_and_test_and_is_absolute() {
    let folder = tempfile::tempdir().expect("there is room");
    let setup = setup(Path::new("/never"));
    let store = Store::at(&setup, Some(folder.path().as_os_str())).expect("it is absolute");
    let one = report(Verdict::Missing, None);
    store.settle(ID, &one, sites(), &recorded(&setup, None, None));
    let file = folder.path().join("chat/alloc").join(TARGET).join(format!("{ID}.json"));
    assert!(file.exists());
    assert!(Store::at(&setup, Some(OsStr::new("pending"))).is_none());
}

#[test]
fn numbers_of_a_scenario_that_is_gone_are_removed() {
    let folder = tempfile::tempdir().expect("there is room");
    let setup = setup(folder.path());
    let store = Store::at(&setup, None).expect("it is in the tree");
    let one = report(Verdict::Missing, None);
    store.settle(ID, &one, sites(), &recorded(&setup, None, None));
    store.sweep(&Registry::new());
    assert!(pending::find(folder.path()).expect("it is read").is_empty());
}

#[test]
fn a_tree_that_cannot_be_written_is_no_failure() {
    let file = tempfile::NamedTempFile::new().expect("there is room");
    let setup = setup(file.path());
    let store = Store::at(&setup, None).expect("it is in the tree");
    let one = report(Verdict::Missing, None);
    store.settle(ID, &one, sites(), &recorded(&setup, None, None));
    assert!(!store.has_kept());
}
