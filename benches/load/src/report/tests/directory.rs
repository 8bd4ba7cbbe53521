use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::{each, failing, says};
use crate::merge::merge;
use crate::report::{directory, fixture};
use crate::validator::validate;

/// A new folder, and a path in it that does not exist yet.
pub(super) fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reports/one");
    (folder, path)
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_report_is_read_back_as_it_was() {
    each(|run, assessment| {
        let (_folder, dir) = folder();
        directory::write(&dir, run, assessment, false).unwrap();
        assert_eq!(
            names(&dir),
            ["intervals.csv", "intervals.hlog", "junit.xml", "report.html", "report.json"]
        );
        assert_eq!(&directory::read(&dir).unwrap(), run);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_run_is_read_back_as_it_was(
        run_id in "\\PC{0,12}",
        started in 0..4_000_000_000_000_000_000_u64,
        cpu in 0.0..64.0_f64,
        text in "\\PC{0,40}",
        heap in any::<(u64, i64)>(),
        keep in proptest::sample::subsequence((0..70).collect::<Vec<_>>(), 0..8),
    ) {
        let mut run = fixture::failing();
        (run.run_id, run.started_unix_ns) = (run_id, u128::from(started));
        run.intervals = keep.iter().filter_map(|index| run.intervals.get(*index)).cloned().collect();
        run.intervals.iter_mut().for_each(|interval| interval.generator_cpu = cpu);
        run.error_samples[0].text = text;
        if let Some(allocations) = &mut run.allocations {
            (allocations.total_bytes, allocations.remaining_bytes) = heap;
        }
        let (_folder, dir) = folder();
        directory::write(&dir, &run, &validate(&run), false).unwrap();
        prop_assert_eq!(directory::read(&dir).unwrap(), run);
    }
}

#[test]
fn merged_reports_are_written_and_read_as_one() {
    let shards = [0, 1].map(|index| {
        let mut run = fixture::passing();
        (run.shard, run.shards) = (load_plan::model::Shard { index, of: 2 }, vec![index]);
        run.allocations = None;
        let (folder, dir) = folder();
        directory::write(&dir, &run, &validate(&run), false).unwrap();
        let read = directory::read(&dir).unwrap();
        drop(folder);
        read
    });
    let messages = shards[0].sum(|_| true).counts.received;
    let merged = merge(shards.to_vec()).unwrap();
    let (_folder, dir) = folder();
    directory::write(&dir, &merged, &validate(&merged), false).unwrap();
    let read = directory::read(&dir).unwrap();
    assert_eq!(read, merged);
    assert_eq!(read.sum(|_| true).counts.received, 2 * messages);
}

#[test]
fn a_folder_with_other_files_is_left_alone() {
    let (folder, _) = folder();
    fs::write(folder.path().join("thesis.tex"), "").unwrap();
    let (run, assessment) = failing();
    for overwrite in [false, true] {
        let error = directory::write(folder.path(), &run, &assessment, overwrite).unwrap_err();
        says(&error.to_string(), &["holds other files", "--out"]);
    }
    assert_eq!(names(folder.path()), ["thesis.tex"]);
}

#[test]
fn a_report_is_replaced_only_on_request() {
    let (folder, dir) = folder();
    let (run, assessment) = failing();
    directory::write(&dir, &run, &assessment, false).unwrap();
    let error = directory::write(&dir, &run, &assessment, false).unwrap_err();
    says(&error.to_string(), &["holds a report already", "--overwrite"]);
    let passing = fixture::passing();
    directory::write(&dir, &passing, &validate(&passing), true).unwrap();
    assert_eq!(directory::read(&dir).unwrap(), passing);
    drop(folder);
}

#[test]
fn a_folder_is_claimed_by_one_process_at_a_time() {
    let (_folder, dir) = folder();
    let (run, assessment) = failing();
    let claim = directory::claim(&dir, true).unwrap();
    for overwrite in [false, true] {
        let error = directory::claim(&dir, overwrite).unwrap_err();
        says(&error.to_string(), &["another ws-load", "--out"]);
    }
    claim.write(&run, &assessment).unwrap();
    drop(claim);
    directory::claim(&dir, true).unwrap();
}

#[test]
fn a_shard_is_not_replaced_by_another_shard_or_their_sum() {
    let (_folder, dir) = folder();
    let shards = [0, 1].map(|index| {
        let mut run = fixture::passing();
        (run.shard, run.shards) = (load_plan::model::Shard { index, of: 2 }, vec![index]);
        run.allocations = None;
        run
    });
    let write = |run| directory::write(&dir, run, &validate(run), true);
    write(&shards[0]).unwrap();
    write(&shards[0]).unwrap();
    let sum = merge(shards.to_vec()).unwrap();
    for other in [&shards[1], &sum] {
        let error = write(other).unwrap_err().to_string();
        says(&error, &["holds shard 0 of run k7f3q2", "--out"]);
        assert_eq!(directory::read(&dir).unwrap(), shards[0]);
    }
    let mut later = shards[1].clone();
    later.run_id = "next".to_owned();
    write(&later).unwrap();
}

#[test]
fn temporary_files_are_removed_once_they_are_old() {
    let (_folder, dir) = folder();
    fs::create_dir_all(&dir).unwrap();
    for (name, age) in [(".ws-load-dead", 3600), (".ws-load-live", 0)] {
        let file = fs::File::create(dir.join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    }
    directory::claim(&dir, false).unwrap();
    assert_eq!(names(&dir), [".ws-load-live"]);
}

#[test]
fn a_part_of_a_report_is_replaced_on_request() {
    let (_folder, dir) = folder();
    let (run, assessment) = failing();
    directory::write(&dir, &run, &assessment, false).unwrap();
    fs::remove_file(dir.join("report.json")).unwrap();
    let error = directory::claim(&dir, false).unwrap_err();
    says(&error.to_string(), &["holds a part of a report", "--overwrite"]);
    drop(directory::claim(&dir, true).unwrap());
    // A file of that name alone may be anybody's.
    fs::remove_file(dir.join("intervals.hlog")).unwrap();
    says(&directory::claim(&dir, true).unwrap_err().to_string(), &["holds other files"]);
}

#[test]
fn a_folder_that_cannot_be_created_leaves_nothing_behind() {
    let (folder, _) = folder();
    fs::write(folder.path().join("file"), "").unwrap();
    let (run, assessment) = failing();
    let error =
        directory::write(&folder.path().join("file/out"), &run, &assessment, false).unwrap_err();
    says(&error.to_string(), &["cannot write", "file/out", "--out"]);
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn a_folder_in_place_of_one_file_stops_all_files() {
    let (_folder, dir) = folder();
    let (run, assessment) = failing();
    directory::write(&dir, &run, &assessment, false).unwrap();
    fs::remove_file(dir.join("junit.xml")).unwrap();
    fs::create_dir(dir.join("junit.xml")).unwrap();
    let passing = fixture::passing();
    let error = directory::write(&dir, &passing, &validate(&passing), true).unwrap_err();
    says(&error.to_string(), &["junit.xml is a folder"]);
    assert_eq!(directory::read(&dir).unwrap(), run);
    assert_eq!(names(&dir).len(), 5);
}

#[test]
fn a_folder_without_a_report_says_what_is_missing() {
    let (folder, _) = folder();
    let error = directory::read(folder.path()).unwrap_err();
    says(&error.to_string(), &["cannot read", "report.json", "--out"]);
}
