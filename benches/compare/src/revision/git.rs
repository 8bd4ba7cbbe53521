//! Git, asked in the words of its command line.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

use crate::cleanup;

/// A git repository, from one of its work trees.
#[derive(Clone, Debug)]
pub(super) struct Git {
    folder: PathBuf,
}

/// Variables that point git elsewhere than at the folder it is started in; a hook, for instance, has them.
const ELSEWHERE: [&str; 7] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_WORK_TREE",
];

/// Hooks are for people's own work, and a file system monitor would stay behind.
const SETTINGS: [&str; 4] = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];

impl Git {
    /// Git in `folder`, whatever that is.
    pub(super) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Git in `folder`, or what to do where that is no work tree.
    pub(super) fn of_checkout(folder: &Path) -> Result<Self> {
        let git = Self::at(folder);
        git.run(&["rev-parse", "--git-dir"]).context(
            "there are no revisions here; work in a clone, made with git clone, or compare ready programs: \
             --base-bin and --head-bin",
        )?;
        Ok(git)
    }

    /// The folder it works in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What git prints, without the end of the last line.
    pub(super) fn run(&self, args: &[&str]) -> Result<String> {
        answer(self.command().args(args))
    }

    /// Whether git has an answer, and which.
    pub(super) fn ask(&self, args: &[&str]) -> Result<Option<String>> {
        let mut command = self.command();
        let output = output(command.args(args))?;
        Ok(if output.status.success() { Some(text(output)?) } else { None })
    }

    /// Git, to be told more; for [`answer`].
    pub(super) fn command(&self) -> Command {
        let mut git = Command::new("git");
        git.current_dir(&self.folder).args(SETTINGS);
        for name in ELSEWHERE {
            git.env_remove(name);
        }
        git
    }
}

/// What a git command prints, without the end of the last line.
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
        .context("cannot run git; install it, or look at the folder with ls -ld .")
}

fn text(output: Output) -> Result<String> {
    let text = String::from_utf8(output.stdout).context("git does not print UTF-8")?;
    Ok(text.trim_end().to_owned())
}
