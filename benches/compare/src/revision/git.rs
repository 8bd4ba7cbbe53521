//! Git, run as a command.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

use crate::cleanup;

/// A git repository, seen from one of its worktrees.
#[derive(Clone, Debug)]
pub(super) struct Git {
    folder: PathBuf,
}

/// Variables that redirect git from the folder it is started in. Git sets them for its hooks.
const REDIRECTIONS: [&str; 7] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_WORK_TREE",
];

/// No hooks, which are for the user's own commits, and no file system monitor, which would keep running.
const SETTINGS: [&str; 4] = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];

impl Git {
    /// Git in `folder`.
    pub(super) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Git in `folder`.
    ///
    /// # Errors
    ///
    /// If `folder` is not in a worktree; the message names the alternatives.
    pub(super) fn of_checkout(folder: &Path) -> Result<Self> {
        let git = Self::at(folder);
        git.run(&["rev-parse", "--git-dir"]).context(
            "there are no revisions in this folder; work in a clone (git clone), or compare programs with --base-bin \
             and --head-bin",
        )?;
        Ok(git)
    }

    /// The folder it runs in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The output of a git command, without the last line break.
    pub(super) fn run(&self, args: &[&str]) -> Result<String> {
        answer(self.command().args(args))
    }

    /// The output of a git command; `None` if it fails.
    pub(super) fn ask(&self, args: &[&str]) -> Result<Option<String>> {
        let mut command = self.command();
        let output = output(command.args(args))?;
        Ok(if output.status.success() { Some(text(output)?) } else { None })
    }

    /// A git command without its arguments, for [`answer`].
    pub(super) fn command(&self) -> Command {
        let mut git = Command::new("git");
        git.current_dir(&self.folder).args(SETTINGS);
        for name in REDIRECTIONS {
            git.env_remove(name);
        }
        git
    }
}

/// The output of a git command, without the last line break.
pub(super) fn answer(command: &mut Command) -> Result<String> {
    let output = output(command)?;
    if output.status.success() {
        return text(output);
    }
    let words: Vec<_> =
        command.get_args().skip(SETTINGS.len()).map(OsStr::to_string_lossy).collect();
    bail!("git {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim())
}

fn output(command: &mut Command) -> Result<Output> {
    cleanup::output(command)
        .context("cannot run git; install git, or check the folder with ls -ld .")
}

fn text(output: Output) -> Result<String> {
    let text = String::from_utf8(output.stdout).context("git printed text that is not UTF-8")?;
    Ok(text.trim_end().to_owned())
}
