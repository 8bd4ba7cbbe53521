//! Changes of the recorded files: one writer at a time, and all of its files or none.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Component, Path, PathBuf};

use crate::{Error, file};

/// The right to change the recorded files of one folder, and the changes so far. Until [`commit`](Self::commit) no file
/// is touched.
///
/// A writer reads the files after it has begun: what another writer recorded in the meantime is then in them.
#[derive(Debug)]
pub struct Recording {
    root: PathBuf,
    changes: Changes,
    /// Locked until it is dropped. The lock is on the folder, so that nothing is left behind.
    _folder: File,
}

/// New texts by path below the root; `None` removes the file.
type Changes = BTreeMap<String, Option<String>>;

impl Recording {
    /// Locks the folder `root`, which is created if it does not exist, and waits for another writer. A recording that
    /// was interrupted is completed first.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the folder cannot be written.
    pub fn begin(root: &Path) -> Result<Self, Error> {
        let lock = || {
            fs::create_dir_all(root)?;
            let folder = File::open(root)?;
            folder.lock().map(|()| folder)
        };
        let folder = lock().map_err(|cause| Error::Io { path: root.to_owned(), cause })?;
        apply(root)?;
        Ok(Self { root: root.to_owned(), changes: Changes::new(), _folder: folder })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Removes `path`, if it exists.
    pub fn remove(&mut self, path: &Path) {
        self.change(path, None);
    }

    pub(crate) fn replace(&mut self, path: &Path, text: String) {
        self.change(path, Some(text));
    }

    fn change(&mut self, path: &Path, text: Option<String>) {
        let path = path.strip_prefix(&self.root).expect("every recorded file is below the root");
        self.changes.insert(path.to_str().expect("ids are ASCII").to_owned(), text);
    }

    /// Makes all changes. After an error or a crash in the middle, the next [`begin`](Self::begin) or [`complete`] makes
    /// the rest; before that, none is made.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if a file cannot be written.
    pub fn commit(self) -> Result<(), Error> {
        self.announce()?;
        apply(&self.root)
    }

    /// From here on the changes are certain.
    fn announce(&self) -> Result<(), Error> {
        let text = serde_json::to_string(&self.changes).expect("invariant: every key is a string");
        file::write(&journal(&self.root), &text)
    }
}

/// Completes a recording that was interrupted, for a reader that comes before the next writer.
///
/// # Errors
///
/// [`Error::Io`] if a file cannot be written.
pub fn complete(root: &Path) -> Result<(), Error> {
    if journal(root).exists() { Recording::begin(root).map(drop) } else { Ok(()) }
}

/// The announced changes. It exists only while they are made, or if that was interrupted.
fn journal(root: &Path) -> PathBuf {
    root.join(".recording")
}

/// Makes the announced changes, if there are any.
fn apply(root: &Path) -> Result<(), Error> {
    let journal = journal(root);
    let text = match file::read(&journal) {
        Err(Error::Missing { .. }) => return Ok(()),
        text => text?,
    };
    let changes: Changes = serde_json::from_str(&text)
        .map_err(|error| file::refuse(&journal, format!("not a list of changes: {error}")))?;
    // The file may have come with a tree of others.
    let is_below = |path: &&String| {
        Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
    };
    if let Some(path) = changes.keys().find(|path| !is_below(path)) {
        return Err(file::refuse(&journal, format!("{path:?} is not below its folder")));
    }
    for (path, text) in changes {
        let path = root.join(path);
        match text {
            Some(text) => file::write(&path, &text)?,
            None => file::remove(&path)?,
        }
    }
    file::remove(&journal)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with the files `old` and `gone`, and a recording that replaces, removes and adds.
    fn begun() -> (tempfile::TempDir, Recording) {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("old"), "before").unwrap();
        fs::write(at("gone"), "before").unwrap();
        let mut recording = Recording::begin(folder.path()).unwrap();
        recording.replace(&at("old"), "after".to_owned());
        recording.replace(&at("sites/new"), "after".to_owned());
        recording.remove(&at("gone"));
        recording.remove(&at("never"));
        (folder, recording)
    }

    #[track_caller]
    fn check(folder: &Path, expected: [Option<&str>; 4]) {
        let read = |name| fs::read_to_string(folder.join(name)).ok();
        let found = ["old", "sites/new", "gone", ".recording"].map(read);
        assert_eq!(found.each_ref().map(Option::as_deref), expected);
    }

    const BEFORE: [Option<&str>; 4] = [Some("before"), None, Some("before"), None];
    const AFTER: [Option<&str>; 4] = [Some("after"), Some("after"), None, None];

    #[test]
    fn changes_of_files_outside_the_folder_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        let outside = folder.path().join("outside");
        for path in ["../outside", "a/../../outside", outside.to_str().unwrap()] {
            let changes = Changes::from([(path.to_owned(), Some("text".to_owned()))]);
            fs::write(journal(&root), serde_json::to_string(&changes).unwrap()).unwrap();
            assert!(matches!(complete(&root), Err(Error::NotComparable { .. })), "{path}");
            assert!(!outside.exists(), "{path}");
        }
    }

    #[test]
    fn a_commit_makes_all_changes() {
        let (folder, recording) = begun();
        check(folder.path(), BEFORE);
        recording.commit().unwrap();
        check(folder.path(), AFTER);
    }

    #[test]
    fn a_recording_that_is_dropped_changes_nothing() {
        let (folder, recording) = begun();
        drop(recording);
        complete(folder.path()).unwrap();
        check(folder.path(), BEFORE);
    }

    #[test]
    fn a_recording_that_is_interrupted_is_completed_by_the_next_reader_or_writer() {
        for next in [complete, |root: &Path| Recording::begin(root).map(drop)] {
            let (folder, recording) = begun();
            recording.announce().unwrap();
            drop(recording);
            // The first of several files was already replaced when the process ended.
            fs::write(folder.path().join("old"), "after").unwrap();
            next(folder.path()).unwrap();
            check(folder.path(), AFTER);
        }
    }

    #[test]
    fn a_second_writer_waits_for_the_first() {
        let (folder, recording) = begun();
        let second = || File::open(folder.path()).unwrap().try_lock();
        assert!(matches!(second(), Err(fs::TryLockError::WouldBlock)));
        recording.commit().unwrap();
        assert!(second().is_ok());
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_io_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(Recording::begin(file.path()), Err(Error::Io { .. })));
    }
}
