//! The working tree as a commit: every file that is not ignored, or an error that names what a commit cannot hold.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use super::commit::WORKING_TREE;
use super::git::{self, Git};

/// Files named to one git command, whose arguments are limited.
const AT_ONCE: usize = 500;

/// A commit of the working tree without ignored files. No reference leads to it, so git removes it after some weeks.
/// `index` is the path of a temporary index, which may have a copy of the user's.
pub(super) fn snapshot(git: &Git, index: &Path) -> Result<String> {
    let top = Git::at(Path::new(&git.run(&["rev-parse", "--show-toplevel"])?));
    let snapshot = Snapshot { git: top, index };
    snapshot.look_at_every_file()?;
    snapshot.run(&["add", "--all"])?;
    snapshot.refuse_repositories()?;
    let tree = snapshot.run(&["write-tree"])?;
    snapshot.run(&["commit-tree", "-m", WORKING_TREE, &tree])
}

struct Snapshot<'a> {
    /// At the top of the working tree, because git's lists are relative to the folder.
    git: Git,
    index: &'a Path,
}

impl Snapshot<'_> {
    fn run(&self, args: &[&str]) -> Result<String> {
        git::answer(self.command().args(args))
    }

    fn command(&self) -> Command {
        let mut git = self.git.command();
        git.env("GIT_INDEX_FILE", self.index);
        // Equal trees must give equal commits, whatever the user and the time.
        for role in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{role}_NAME"), "ws-compare");
            git.env(format!("GIT_{role}_EMAIL"), "ws-compare@localhost");
            git.env(format!("GIT_{role}_DATE"), "@0 +0000");
        }
        git
    }

    /// Removes the marks `assume-unchanged` and `skip-worktree`, for which git would not look at a changed file. A file
    /// that a sparse checkout left out keeps its mark, or it would seem deleted.
    fn look_at_every_file(&self) -> Result<()> {
        let listed = self.run(&["ls-files", "-v", "-z"])?;
        let marked: Vec<&str> = listed
            .split('\0')
            .filter_map(|line| line.split_once(' '))
            .filter(|(mark, _)| *mark != "H")
            .filter(|(_, file)| self.git.folder().join(file).symlink_metadata().is_ok())
            .map(|(_, file)| file)
            .collect();
        for files in marked.chunks(AT_ONCE) {
            for unmark in ["--no-assume-unchanged", "--no-skip-worktree"] {
                self.run(&[&["update-index", unmark, "--"], files].concat())?;
            }
        }
        Ok(())
    }

    /// A commit holds the commit of another repository, never its files. Repositories that are as in HEAD are not listed.
    fn refuse_repositories(&self) -> Result<()> {
        let status = ["status", "--porcelain=v2", "-z", "--ignore-submodules=none"];
        let status =
            self.run(&[&status[..], &["--untracked-files=no", "--no-renames"]].concat())?;
        for entry in status.split('\0') {
            // `1 A. S..U 000000 160000 160000 <hash> <hash> <path>`
            let fields: Vec<&str> = entry.splitn(9, ' ').collect();
            let &[_, change, kind, .., path] = &fields[..] else { continue };
            if !kind.starts_with('S') {
                continue;
            }
            ensure!(
                !change.starts_with('A'),
                "{path} is a git repository of its own, whose files would be left out; move it out of this tree, or \
                 ignore it: echo /{path} >> .gitignore"
            );
            bail!(
                "the submodule {path} is not as in HEAD, and its files would be left out; look with git -C {path} status, \
                 then commit, discard (git submodule update --init --force {path}) or move it out of this tree"
            );
        }
        Ok(())
    }
}

/// Submodules are not checked out, so a difference between them would not be built.
pub(super) fn same_submodules(git: &Git, base: &str, head: &str) -> Result<()> {
    let differences = git.run(&["diff", "--raw", "-z", "--no-renames", base, head])?;
    let mut fields = differences.split('\0');
    while let (Some(modes), Some(path)) = (fields.next(), fields.next()) {
        ensure!(
            !modes.contains("160000 "),
            "the submodule {path} differs between base and head, and a comparison builds without submodules; compare \
             programs built by hand with --base-bin and --head-bin"
        );
    }
    Ok(())
}
