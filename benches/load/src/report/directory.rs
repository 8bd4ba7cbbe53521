//! The folder of a report. Writing replaces all files or, if it fails, none.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::interval_log::{self, Buckets, Place};
use super::{aside, csv, html, json, junit};
use crate::validator::Assessment;
use load_plan::metrics::Timing;
use load_plan::model::Run;

pub(super) const JSON: &str = "report.json";
const LOG: &str = "intervals.hlog";
const CSV: &str = "intervals.csv";
const JUNIT: &str = "junit.xml";
const HTML: &str = "report.html";

/// Age from which a temporary file is a leftover: writing takes seconds.
const ABANDONED: Duration = Duration::from_mins(1);

/// A folder that no other process writes a report into.
#[derive(Debug)]
pub struct Claim {
    dir: PathBuf,
    overwrite: bool,
    is_new: bool,
    /// Locked while it is open, if the file system has locks.
    _lock: File,
}

/// Creates `dir` if it does not exist, and checks that a report can be written into it. Call this before a run, so that
/// no result is lost. Removes leftovers of a run that was killed while it wrote.
///
/// # Errors
///
/// If another process has claimed `dir`, if `dir` holds other files, holds a report and `overwrite` is false, or cannot
/// be written to.
pub fn claim(dir: &Path, overwrite: bool) -> Result<Claim> {
    let is_new = !dir.exists();
    prepare(dir, overwrite)?;
    let lock = File::open(dir).map_err(|error| unwritable(dir, &error))?;
    let is_taken = matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
    ensure!(
        !is_taken,
        "another ws-load writes its report into {}; give each its own --out",
        dir.display()
    );
    Ok(Claim { dir: dir.to_owned(), overwrite, is_new, _lock: lock })
}

/// [`claim`], and [`Claim::write`].
///
/// # Errors
///
/// As both of them.
pub fn write(dir: &Path, run: &Run, assessment: &Assessment, overwrite: bool) -> Result<()> {
    claim(dir, overwrite)?.write(run, assessment)
}

impl Claim {
    /// Writes `report.json`, `intervals.hlog`, `intervals.csv`, `junit.xml` and `report.html`.
    ///
    /// # Errors
    ///
    /// If the folder has come to hold other files, or the report of another shard, or if the disk is full. Then no file has
    /// changed.
    pub fn write(&self, run: &Run, assessment: &Assessment) -> Result<()> {
        let Self { dir, overwrite, is_new, .. } = self;
        let written = prepare(dir, *overwrite)
            .and_then(|()| refuse_another_shard(dir, run))
            .and_then(|()| write_all(dir, run, assessment));
        if written.is_err() && *is_new {
            // Fails, rightly, if another program has written into it.
            let _ = fs::remove_dir(dir);
        }
        written
    }
}

fn prepare(dir: &Path, overwrite: bool) -> Result<()> {
    match fs::read_dir(dir) {
        Ok(entries) => {
            let found = Found::of(entries).map_err(|error| unwritable(dir, &error))?;
            found.refuse_others(dir, overwrite)?;
            for path in found.left_over {
                fs::remove_file(&path).map_err(|error| unwritable(&path, &error))?;
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(dir).map_err(|error| unwritable(dir, &error))?;
        }
        Err(error) => return Err(unwritable(dir, &error)),
    }
    tempfile::tempfile_in(dir).map(drop).map_err(|error| unwritable(dir, &error))
}

/// Refuses to replace the report of one shard by that of another, or by the sum of both.
fn refuse_another_shard(dir: &Path, run: &Run) -> Result<()> {
    let Ok(text) = fs::read_to_string(dir.join(JSON)) else { return Ok(()) };
    let Ok(there) = json::parse(&text) else { return Ok(()) };
    let is_one = there.shard.of > 1 && there.parts.is_empty();
    let is_same = there.shards == run.shards && run.parts.is_empty();
    ensure!(
        !is_one || is_same || there.run_id != run.run_id,
        "{} holds shard {} of run {}; choose another folder with --out, so that ws-load merge can add all of them",
        dir.display(),
        there.shard.index,
        there.run_id
    );
    Ok(())
}

fn write_all(dir: &Path, run: &Run, assessment: &Assessment) -> Result<()> {
    // The file that programs look for comes last: if it exists, all files do.
    let files = [
        (LOG, interval_log::render(run)?),
        (CSV, csv::render(run)?),
        (JUNIT, junit::render(run, assessment)?.into_bytes()),
        (HTML, html::render(run, assessment).into_bytes()),
        (JSON, json::text(run, assessment)?.into_bytes()),
    ];
    let mut written = Vec::new();
    for (name, bytes) in files {
        let path = dir.join(name);
        let file = aside::write(dir, &bytes)
            .and_then(|file| file.as_file().sync_all().map(|()| file))
            .map_err(|error| unwritable(&path, &error))?;
        ensure!(
            !path.is_dir(),
            "{} is a folder; move it away, or choose another --out",
            path.display()
        );
        written.push((path, file));
    }
    for (path, file) in written {
        file.persist(&path).map_err(|error| unwritable(&path, &error.error))?;
    }
    Ok(())
}

fn unwritable(path: &Path, error: &io::Error) -> anyhow::Error {
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space, or choose",
        _ => "choose",
    };
    // An error that is not the system's own names the temporary file.
    let reason =
        error.raw_os_error().map_or_else(|| error.kind().to_string(), |_| error.to_string());
    anyhow!("cannot write {}: {reason}; {hint} another folder with --out", path.display())
}

/// The content of a folder before a report is written.
#[derive(Default)]
struct Found {
    /// Temporary files of a run that was killed while it wrote.
    left_over: Vec<PathBuf>,
    /// Names of all other files.
    names: Vec<OsString>,
}

impl Found {
    fn of(entries: fs::ReadDir) -> io::Result<Self> {
        let mut found = Self::default();
        for entry in entries {
            let entry = entry?;
            let (name, metadata) = (entry.file_name(), entry.metadata()?);
            if !name.to_string_lossy().starts_with(aside::PREFIX) || !metadata.is_file() {
                found.names.push(name);
            } else if metadata.modified()?.elapsed().is_ok_and(|age| age > ABANDONED) {
                found.left_over.push(entry.path());
            }
        }
        Ok(found)
    }

    fn refuse_others(&self, dir: &Path, overwrite: bool) -> Result<()> {
        let json = fs::read_to_string(dir.join(JSON));
        let is_report = json.as_ref().is_ok_and(|text| json::is_ours(text));
        let is_known = |name: &OsString| [LOG, CSV, JUNIT, HTML, JSON].iter().any(|of| name == of);
        let has_log = self.names.iter().any(|name| name == LOG);
        let is_part = json.is_err() && has_log && self.names.iter().all(is_known);
        let dir = dir.display();
        if self.names.is_empty() || overwrite && (is_report || is_part) {
            return Ok(());
        }
        let what = match (is_report, is_part) {
            (true, _) => "a report",
            (_, true) => "a part of a report",
            _ => bail!("{dir} holds other files; choose another folder with --out"),
        };
        bail!("{dir} holds {what} already; pass --overwrite, or choose another folder with --out")
    }
}

/// Whether `dir` holds a whole report: a shard that died left none.
#[must_use]
pub fn holds_report(dir: &Path) -> bool {
    dir.join(JSON).exists()
}

/// The run whose report is in `dir`, with all buckets.
///
/// # Errors
///
/// If a file is missing or damaged; the error names it.
pub fn read(dir: &Path) -> Result<Run> {
    let [json_path, log_path] = [JSON, LOG].map(|name| dir.join(name));
    let text = fs::read_to_string(&json_path).map_err(|error| unreadable(&json_path, &error))?;
    let log = fs::read(&log_path).map_err(|error| unreadable(&log_path, &error))?;
    let damaged = |path: &PathBuf| format!("{} is damaged; write the report again", path.display());
    let mut run = json::parse(&text).with_context(|| damaged(&json_path))?;
    let log = interval_log::parse(&log).with_context(|| damaged(&log_path))?;
    // The log stores milliseconds.
    let apart = log.base.abs_diff(interval_log::started(&run));
    ensure!(
        apart < Duration::from_millis(2),
        "{} and {} are of two runs, which began {apart:?} apart; write the report again",
        json_path.display(),
        log_path.display()
    );
    // The JSON has passed its own check, so a difference is an error in the log.
    fill(&mut run, log.entries).with_context(|| damaged(&log_path))?;
    Ok(run)
}

fn unreadable(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow!(
        "cannot read {}: {error}; name the folder that --out of ws-load run named",
        path.display()
    )
}

/// Adds the buckets of `entries` to `run`, and checks that each entry has as many values as the JSON says.
fn fill(run: &mut Run, mut entries: BTreeMap<Place, Buckets>) -> Result<()> {
    for interval in &mut run.intervals {
        let (second, stage, phase) = (interval.second, interval.stage, interval.phase);
        for (timing, distribution) in Timing::ALL.into_iter().zip(&mut interval.sample.timings) {
            let place = Place { second, stage, phase, timing };
            let buckets = entries.remove(&place).unwrap_or_default();
            let found: u64 = buckets.iter().map(|(_, count)| count).sum();
            ensure!(
                found == distribution.ended(),
                "{place} has {found} values here, and {} in {JSON}",
                distribution.ended()
            );
            distribution.buckets = buckets;
        }
    }
    match entries.keys().next() {
        Some(place) => bail!("{place} is missing in {JSON}"),
        None => Ok(()),
    }
}
