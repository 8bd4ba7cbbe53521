use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use load_plan::model::Run;

use super::directory::folder;
use crate::merge::merge;
use crate::report::diff::{Side, differences, render};
use crate::report::{directory, fixture, json};
use crate::validator::validate;

fn written(dir: &Path, run: &Run) {
    directory::write(dir, run, &validate(run), false).expect("there is room");
}

/// Both reports, as whole folders and as single files.
fn sides(one: &Run, other: &Run) -> [[Side; 2]; 2] {
    let (_folder, dir) = folder();
    let [a, b] = ["a", "b"].map(|name| dir.join(name));
    written(&a, one);
    written(&b, other);
    let [a_file, b_file] = [&a, &b].map(|dir| dir.join("report.json"));
    let read = |path: &Path| Side::read(path).expect("it is a report");
    [[read(&a), read(&b)], [read(&a_file), read(&b_file)]]
}

/// Without the names of the folders, which differ from run to run.
fn shown([one, other]: &[Side; 2]) -> String {
    let text = render(one, other, 80);
    assert!(text.lines().all(|line| line.chars().count() <= 80 || line.contains("/tmp")), "{text}");
    let (_, after) = text.split_once("\n\n").expect("the table follows the names");
    after.to_owned()
}

#[test]
fn two_reports_are_shown_beside_each_other_without_a_verdict() {
    let [folders, files] = sides(&fixture::passing(), &fixture::failing());
    assert_eq!(differences(&folders[0], &folders[1]), Vec::<String>::new());
    assert_snapshot!("diff", shown(&folders));
    assert_eq!(shown(&folders), shown(&files));
}

#[test]
fn a_report_is_the_same_as_itself() {
    let [[one, other], _] = sides(&fixture::passing(), &fixture::passing());
    let text = shown(&[one, other]);
    assert_eq!(text.lines().filter(|line| line.ends_with("  same")).count(), 9, "{text}");
}

#[test]
fn a_percentile_of_a_report_alone_is_the_one_that_was_asked_for() {
    let mut run = fixture::passing();
    run.profile.percentiles = vec![9.5, 95.0, 99.9];
    let [folders, files] = sides(&run, &run);
    assert_eq!(shown(&folders), shown(&files));
    // The other report does not have it.
    let [_, files] = sides(&run, &fixture::passing());
    assert!(shown(&files).contains("p9.5"), "{}", shown(&files));
    let line = shown(&files).lines().find(|line| line.starts_with("p9.5")).map(str::to_owned);
    assert_eq!(line.expect("it is shown").split_whitespace().nth(3), Some("–"));
}

#[test]
fn a_run_that_is_not_to_be_trusted_is_named() {
    let [folders, _] = sides(&fixture::passing(), &fixture::interrupted());
    let text = shown(&folders);
    assert!(text.contains("B is INTERRUPTED: its figures say little about its target"), "{text}");
}

#[test]
fn loads_that_differ_are_not_comparable_but_limits_names_and_targets_may_differ() {
    let (run, mut other) = (fixture::passing(), fixture::passing());
    let of = |other: &Run| {
        let [[one, other], _] = sides(&run, other);
        differences(&one, &other)
    };
    other.profile.name = "another".to_owned();
    other.profile.target.url = Some("ws://another".to_owned());
    other.profile.percentiles = vec![75.0];
    other.profile.thresholds.clear();
    other.profile.stages.iter_mut().for_each(|stage| stage.thresholds.clear());
    assert_eq!(of(&other), Vec::<String>::new());
    other.profile.traffic.sizes[0].bytes = 128;
    other.profile.stages[1].connections = 51;
    assert_eq!(
        of(&other),
        [
            "profile.stage.1.connections (50 and 51)",
            "profile.traffic.sizes.0.bytes (\"64B\" and \"128B\")"
        ]
    );
}

#[test]
fn a_shard_a_sum_and_a_whole_run_are_not_comparable_with_each_other() {
    let mut whole = fixture::passing();
    whole.intervals.truncate(9);
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let side = |run: &Run| {
        let file = folder.path().join("report.json");
        fs::write(&file, json::text(run, &validate(run)).expect("plain values")).expect("ours");
        Side::read(&file).expect("it is a report")
    };
    let of = |one: &Run, other: &Run| differences(&side(one), &side(other));
    let mut shard = whole.clone();
    (shard.shard.of, shard.shards) = (2, vec![0]);
    assert_eq!(of(&whole, &shard), ["run.shard.of (1 and 2)"]);
    assert_eq!(of(&shard, &shard), Vec::<String>::new());
    let mut another = shard.clone();
    (another.shard.index, another.shards) = (1, vec![1]);
    assert_eq!(of(&shard, &another), ["run.shards.0 (0 and 1)"]);
    let sum = merge(vec![shard.clone(), another]).expect("they are shards of one run");
    let said = ["run.parts (0 and 2)", "run.shard.of (1 and 2)", "run.shards.1 (null and 1)"];
    assert_eq!(of(&whole, &sum), said);
    assert_eq!(of(&shard, &sum), [said[0], said[2]]);
    let twice = merge(vec![whole.clone(), Run { run_id: "again".to_owned(), ..whole.clone() }]);
    assert_eq!(of(&whole, &twice.expect("they are of one profile")), [said[0]]);
}
