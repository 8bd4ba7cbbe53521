//! The folder that base and head are checked out into, in turn. Sharing it makes the source paths in both programs
//! equal.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::commit::Revision;
use super::git::{self, Git};
use super::snapshot::snapshot;
use crate::cleanup::{self, Guard};

/// Exclusive lock on the folder `compare`.
pub(super) struct Checkout {
    git: Git,
    folder: PathBuf,
    has_tree: bool,
    _clean: Guard,
    /// Dropped last.
    _lock: File,
}

impl Checkout {
    /// Locks `folder` and removes the leftovers of a killed run.
    pub(super) fn open(git: Git, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| {
            format!("cannot make {}; check the disk with df -h", folder.display())
        })?;
        let folder = folder.canonicalize()?;
        let lock = lock(&folder.join("lock"))?;
        let clean = {
            let (git, folder) = (git.clone(), folder.clone());
            move || clear(&git, &folder)
        };
        clean()?;
        let clean = Guard::new(move || {
            if let Err(error) = clean() {
                // Without stderr the error cannot be reported.
                drop(writeln!(io::stderr(), "error: {error:#}"));
            }
        });
        Ok(Self { git, folder, has_tree: false, _clean: clean, _lock: lock })
    }

    pub(super) fn git(&self) -> &Git {
        &self.git
    }

    /// The folder below which arms keep their programs.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Checks out exactly the files of `revision`, and returns their folder.
    pub(super) fn check_out(&mut self, revision: &Revision) -> Result<PathBuf> {
        let tree = tree(&self.folder);
        if self.has_tree {
            let git = Git::at(&tree);
            git.run(&["checkout", "--quiet", "--force", "--detach", &revision.commit])?;
            // Build scripts may have written files beside their sources.
            git.run(&["clean", "--quiet", "-ffdx"])?;
            return Ok(tree);
        }
        let mut add = self.git.command();
        // Forced twice: git locks a worktree while it creates it, and a killed run leaves the lock.
        add.args(["worktree", "add", "--quiet", "--force", "--force", "--detach"]);
        git::answer(add.arg(&tree).arg(&revision.commit))?;
        self.has_tree = true;
        Ok(tree)
    }

    /// A commit of the working tree without ignored files.
    pub(super) fn snapshot(&self) -> Result<String> {
        self.refuse_builds()?;
        let index = index(&self.folder);
        // With a copy of the user's index, git need not read unchanged files.
        let own = self.git.folder().join(self.git.run(&["rev-parse", "--git-path", "index"])?);
        unless_missing(fs::copy(&own, &index).map(drop))
            .with_context(|| format!("cannot copy {}; check the disk with df -h", own.display()))?;
        snapshot(&self.git, &index)
    }
}

impl Checkout {
    /// Everything that cargo ever built would be part of the snapshot.
    fn refuse_builds(&self) -> Result<()> {
        let top = PathBuf::from(self.git.run(&["rev-parse", "--show-toplevel"])?);
        let Ok(below) = self.folder.strip_prefix(&top) else { return Ok(()) };
        let target = below.parent().unwrap_or(below);
        let mut ignored = self.git.command();
        ignored.args(["check-ignore", "--quiet"]).arg(&self.folder);
        ensure!(
            cleanup::output(&mut ignored)?.status.success(),
            "cargo's folder is not ignored; ignore it: echo /{} >> {}/.gitignore",
            target.display(),
            top.display()
        );
        Ok(())
    }
}

impl fmt::Debug for Checkout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkout").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// The system releases the lock when this process ends, however it ends.
fn lock(path: &Path) -> Result<File> {
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(false).open(path);
    let mut file = file.with_context(|| {
        format!("cannot open {0}; check its permissions with ls -l {0}", path.display())
    })?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            write!(file, "{}", std::process::id())?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.read_to_string(&mut holder)?;
            bail!(
                "another comparison is running in this checkout; wait for it, or end it: kill {holder}"
            )
        }
        Err(TryLockError::Error(error)) => Err(error)
            .with_context(|| format!("cannot lock {}; is it on a local disk?", path.display())),
    }
}

fn tree(folder: &Path) -> PathBuf {
    folder.join("tree")
}

fn index(folder: &Path) -> PathBuf {
    folder.join("index")
}

/// Removes the files and the git record of one comparison.
fn clear(git: &Git, folder: &Path) -> Result<()> {
    let (tree, index) = (tree(folder), index(folder));
    // Files first: git can remove the record of a missing worktree, but not the files of an unknown one.
    for gone in [
        fs::remove_dir_all(&tree),
        fs::remove_file(index.with_extension("lock")),
        fs::remove_file(&index),
    ] {
        unless_missing(gone).with_context(|| {
            format!("cannot clear {0}; check its permissions with ls -l {0}", folder.display())
        })?;
    }
    // Not `prune`, which would also remove records of the user's worktrees on disks that are not mounted.
    let record = format!("worktree {}", tree.display());
    if git.run(&["worktree", "list", "--porcelain"])?.lines().any(|line| line == record) {
        let mut remove = git.command();
        git::answer(remove.args(["worktree", "remove", "--force", "--force"]).arg(tree))?;
    }
    Ok(())
}

fn unless_missing(done: io::Result<()>) -> io::Result<()> {
    done.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
