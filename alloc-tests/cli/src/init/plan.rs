//! The files that `init` would write, shown as a diff and then written.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use similar::TextDiff;

/// What changes below a repository's root, and what is left as it is.
pub(super) struct Plan {
    root: PathBuf,
    files: BTreeMap<PathBuf, Change>,
    /// What exists and is left, and what a reader must do.
    pub(super) notes: Vec<String>,
}

struct Change {
    before: Option<String>,
    after: String,
}

impl Plan {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, files: BTreeMap::new(), notes: Vec::new() }
    }

    /// What `path` holds with the changes so far, or none if there is no such file.
    pub(super) fn text(&self, path: &Path) -> Result<Option<String>> {
        if let Some(change) = self.files.get(path) {
            return Ok(Some(change.after.clone()));
        }
        if !path.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(path);
        Ok(Some(text.with_context(|| format!("cannot read {}", path.display()))?))
    }

    /// The whole file at `path` is to be `after`.
    pub(super) fn set(&mut self, path: &Path, after: String) -> Result<()> {
        let before = match self.files.remove(path) {
            Some(change) => change.before,
            None => self.text(path)?,
        };
        if before.as_ref() != Some(&after) {
            self.files.insert(path.to_owned(), Change { before, after });
        }
        Ok(())
    }

    /// A new file at `path`. One that exists is left.
    pub(super) fn create(&mut self, path: &Path, text: String) -> Result<()> {
        if self.text(path)?.is_some_and(|old| old != text) {
            self.left(&self.name(path));
            return Ok(());
        }
        self.set(path, text)
    }

    pub(super) fn left(&mut self, what: &str) {
        self.notes.push(format!("left as it is: {what}"));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The path below the root.
    pub(super) fn name(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// All changes as a unified diff.
    pub(super) fn diff(&self) -> String {
        let mut shown = String::new();
        for (path, Change { before, after }) in &self.files {
            let name = self.name(path);
            let old =
                before.as_ref().map_or_else(|| "/dev/null".to_owned(), |_| format!("a/{name}"));
            let diff = TextDiff::from_lines(before.as_deref().unwrap_or_default(), after);
            let mut diff = diff.unified_diff();
            write!(shown, "{}", diff.header(&old, &format!("b/{name}")))
                .expect("a string has room");
        }
        shown
    }

    pub(super) fn write(&self) -> Result<()> {
        for (path, Change { after, .. }) in &self.files {
            let folder = path.parent().context("a file is in a folder")?;
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
            std::fs::write(path, after)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}
