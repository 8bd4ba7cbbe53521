//! The folder of a report: all of it or, if that fails, what was there before.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use tempfile::NamedTempFile;

use super::interval_log::{self, Buckets, Place};
use super::{csv, html, json, junit};
use crate::validator::Assessment;
use load_plan::metrics::Timing;
use load_plan::model::Run;

const JSON: &str = "report.json";
const LOG: &str = "intervals.hlog";
const CSV: &str = "intervals.csv";
const JUNIT: &str = "junit.xml";
const HTML: &str = "report.html";

/// How the names of files begin that are not complete yet.
const UNFINISHED: &str = ".ws-load-";

/// Age from which on nobody is writing such a file any more.
const ABANDONED: Duration = Duration::from_mins(1);

/// Creates `dir` if it is not there, and tries whether a report may be written into it: before a run, for it would be
/// a pity after it.
///
/// # Errors
///
/// If it holds anything but a report, or one without `overwrite`, or cannot be written to. What a run left that was
/// killed while it wrote is removed.
pub fn prepare(dir: &Path, overwrite: bool) -> Result<()> {
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

/// Writes `report.json`, `intervals.hlog`, `intervals.csv`, `junit.xml` and `report.html` into `dir`.
///
/// # Errors
///
/// As [`prepare`], and if there is no room. Then no file is new and none is half.
pub fn write(dir: &Path, run: &Run, assessment: &Assessment, overwrite: bool) -> Result<()> {
    let is_new = !dir.exists();
    let written = prepare(dir, overwrite).and_then(|()| write_all(dir, run, assessment));
    if written.is_err() && is_new {
        // Empty unless somebody else has come in; then it stays.
        let _ = fs::remove_dir(dir);
    }
    written
}

fn write_all(dir: &Path, run: &Run, assessment: &Assessment) -> Result<()> {
    // What a program looks for comes last: where it is, all is.
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
        let file = temporary(dir, &bytes).map_err(|error| unwritable(&path, &error))?;
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

/// On the disk, so that a rename is all that is missing.
fn temporary(dir: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(UNFINISHED);
    // Temporary files are private otherwise; the umask still counts.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(dir)?;
    file.as_file_mut().write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn unwritable(path: &Path, error: &io::Error) -> anyhow::Error {
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room, or choose",
        _ => "choose",
    };
    // What is not the system's own error has the name of a temporary file in it.
    let reason =
        error.raw_os_error().map_or_else(|| error.kind().to_string(), |_| error.to_string());
    anyhow!("cannot write {}: {reason}; {hint} another folder with --out", path.display())
}

/// What is in a folder already.
struct Found {
    /// Of a run that was killed while it wrote.
    left_over: Vec<PathBuf>,
    /// What is written first of a report.
    has_log: bool,
    /// Anything that is no part of a report.
    has_others: bool,
    is_empty: bool,
}

impl Found {
    fn of(entries: fs::ReadDir) -> io::Result<Self> {
        let mut found =
            Self { left_over: Vec::new(), has_log: false, has_others: false, is_empty: true };
        for entry in entries {
            let entry = entry?;
            let (name, metadata) = (entry.file_name(), entry.metadata()?);
            let name = name.to_str().unwrap_or_default();
            found.has_log |= name == LOG;
            if name.starts_with(UNFINISHED) && metadata.is_file() {
                if metadata.modified()?.elapsed().is_ok_and(|age| age > ABANDONED) {
                    found.left_over.push(entry.path());
                }
            } else {
                found.is_empty = false;
                found.has_others |= ![LOG, CSV, JUNIT, HTML, JSON].contains(&name);
            }
        }
        Ok(found)
    }

    fn refuse_others(&self, dir: &Path, overwrite: bool) -> Result<()> {
        let json = fs::read_to_string(dir.join(JSON));
        let is_report = json.as_ref().is_ok_and(|text| json::is_ours(text));
        let is_part = json.is_err() && self.has_log && !self.has_others;
        let dir = dir.display();
        if self.is_empty || overwrite && (is_report || is_part) {
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

/// The run that was reported in `dir`, buckets and all.
///
/// # Errors
///
/// If a file is missing or damaged, by its name.
pub fn read(dir: &Path) -> Result<Run> {
    let [json_path, log_path] = [JSON, LOG].map(|name| dir.join(name));
    let text = fs::read_to_string(&json_path).map_err(|error| unreadable(&json_path, &error))?;
    let log = fs::read(&log_path).map_err(|error| unreadable(&log_path, &error))?;
    let damaged = |path: &PathBuf| format!("{} is damaged; write the report again", path.display());
    let mut run = json::parse(&text).with_context(|| damaged(&json_path))?;
    let log = interval_log::parse(&log).with_context(|| damaged(&log_path))?;
    // The log has milliseconds.
    let apart = log.base.abs_diff(interval_log::started(&run));
    ensure!(
        apart < Duration::from_millis(2),
        "{} and {} are of two runs that began {apart:?} apart; write the report again",
        json_path.display(),
        log_path.display()
    );
    // The seconds in the JSON add up to its whole, or it would not have been read: what is amiss now is in the log.
    fill(&mut run, log.entries).with_context(|| damaged(&log_path))?;
    Ok(run)
}

fn unreadable(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow!(
        "cannot read {}: {error}; name the folder that --out of ws-load run named",
        path.display()
    )
}

/// Puts every entry into its place, and insists that there is one for each place, as many values in it as there were.
fn fill(run: &mut Run, mut entries: BTreeMap<Place, Buckets>) -> Result<()> {
    for interval in &mut run.intervals {
        let (second, stage, phase) = (interval.second, interval.stage, interval.phase);
        for (timing, distribution) in Timing::ALL.into_iter().zip(&mut interval.sample.timings) {
            let place = Place { second, stage, phase, timing };
            let buckets = entries.remove(&place).unwrap_or_default();
            let found: u64 = buckets.iter().map(|(_, count)| count).sum();
            ensure!(
                found == distribution.count,
                "{place} has {found} values here, and {} in {JSON}",
                distribution.count
            );
            distribution.buckets = buckets;
        }
    }
    match entries.keys().next() {
        Some(place) => bail!("{place} is not in {JSON}"),
        None => Ok(()),
    }
}
