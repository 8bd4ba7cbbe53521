//! Pending files in a folder, at any depth.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{Pending, path};
use crate::{Error, file};

/// Largest file that is read; a scenario has a hundred kilobytes at most.
pub const MOST_BYTES: u64 = 16 << 20;

/// Deepest folder that is read, below the first.
const DEEPEST: usize = 16;

/// Pending numbers, with the file that they are in.
pub type Found = (PathBuf, Pending);

/// All pending numbers in `folder` and below it, in the order of their paths; none if it does not exist. Links are not
/// followed, and other files are left out.
///
/// # Errors
///
/// [`Error::NotComparable`] for a `.json` file that is refused, [`Error::Io`] if something cannot be read.
pub fn find(folder: &Path) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    visit(folder, DEEPEST, &mut found)?;
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

/// The scenarios with files of `target` below `folder`, even with files that are refused.
///
/// # Errors
///
/// [`Error::Io`] if the folder cannot be read.
pub fn ids(folder: &Path, target: &str) -> Result<BTreeSet<String>, Error> {
    let mut ids = BTreeSet::new();
    for passed in [false, true] {
        let file = path(folder, target, "id", passed);
        for entry in entries(file.parent().expect("it is in a folder"))? {
            let path = entry.path();
            let stem = path.file_stem().filter(|_| path.extension() == file.extension());
            ids.extend(stem.and_then(|stem| stem.to_str()).map(str::to_owned));
        }
    }
    Ok(ids)
}

/// The entries of a folder; none if it does not exist.
fn entries(folder: &Path) -> Result<Vec<DirEntry>, Error> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(Iterator::collect),
    };
    entries.map_err(io(folder))
}

fn io(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |cause| Error::Io { path, cause }
}

fn visit(folder: &Path, deepest: usize, found: &mut Vec<Found>) -> Result<(), Error> {
    for entry in entries(folder)? {
        let path = entry.path();
        // The kind of the entry itself: a link is neither.
        let kind = entry.file_type().map_err(io(&path))?;
        if kind.is_dir() {
            if deepest == 0 {
                return Err(file::refuse(&path, format!("deeper than {DEEPEST} folders")));
            }
            visit(&path, deepest - 1, found)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "json") {
            let text = File::open(&path).and_then(limited).map_err(io(&path))?;
            let pending = text.and_then(|text| Pending::parse(&text));
            let pending = pending.map_err(|reason| file::refuse(&path, reason))?;
            found.extend(pending.map(|pending| (path, pending)));
        }
    }
    Ok(())
}

/// The text of a file, or why it is refused.
fn limited(file: File) -> io::Result<Result<String, String>> {
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Ok(Err(format!("larger than {MOST_BYTES} bytes")));
    }
    Ok(String::from_utf8(bytes).map_err(|error| format!("not UTF-8 text: {}", error.utf8_error())))
}
