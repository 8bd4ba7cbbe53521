use std::fmt;

use anyhow::{Result, bail};
use bench_show::hint;

use super::git::Git;
use crate::model::Side;

/// The name of a tree without a commit. The space keeps it apart from every revision.
pub(super) const WORKING_TREE: &str = "working tree";

/// A name, resolved to a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Revision {
    /// The user's name for it, or [`WORKING_TREE`].
    pub(super) name: String,
    /// The commit; for the working tree, a snapshot that no branch leads to.
    pub(super) commit: String,
    /// The first digits of the commit.
    pub(super) abbreviated: String,
    /// The first line of its message.
    pub(super) title: String,
    /// The id of the tree. Equal trees give equal programs.
    pub(super) tree: String,
}

impl Revision {
    pub(super) fn resolve(git: &Git, name: &str) -> Result<Self> {
        let commit = format!("{name}^{{commit}}");
        // Git would take a name with a leading dash as an option.
        let known = if name.starts_with('-') {
            None
        } else {
            git.ask(&["rev-parse", "--verify", "--quiet", &commit])?
        };
        match known {
            Some(commit) => Self::of_commit(git, name, &commit),
            None => bail!(unknown(git, name)?),
        }
    }

    /// The working tree, as committed in `snapshot`.
    pub(super) fn working_tree(git: &Git, snapshot: &str) -> Result<Self> {
        Self::of_commit(git, WORKING_TREE, snapshot)
    }

    fn of_commit(git: &Git, name: &str, commit: &str) -> Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            commit: commit.to_owned(),
            title: git.run(&["log", "--max-count=1", "--format=%s", commit])?,
            abbreviated: git.run(&["rev-parse", "--short", commit])?,
            tree: git.run(&["rev-parse", &format!("{commit}^{{tree}}")])?,
        })
    }

    pub(super) fn side(&self) -> Side {
        let commit = (self.name != WORKING_TREE).then(|| self.abbreviated.clone());
        let title = commit.is_some().then(|| self.title.clone());
        Side { name: self.name.clone(), commit, title }
    }
}

/// `main, 49d2e13`.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name == WORKING_TREE {
            f.write_str(&self.name)
        } else if self.commit.starts_with(&self.name) {
            f.write_str(&self.abbreviated)
        } else {
            write!(f, "{}, {}", self.name, self.abbreviated)
        }
    }
}

/// The message for a name without a commit: the nearest name and the next command.
fn unknown(git: &Git, name: &str) -> Result<String> {
    let refs =
        ["for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags"];
    let known = git.run(&refs)?;
    let nearest = hint::nearest(name, known.lines());
    let hint = nearest.map_or_else(String::new, |known| format!("; the nearest is {known}"));
    let next = if git.ask(&["rev-parse", "--verify", "--quiet", "HEAD"])?.is_none() {
        "this branch has no commit yet; make one: git add --all && git commit"
    } else if git.run(&["rev-parse", "--is-shallow-repository"])? == "true" {
        "this clone is shallow, try: git fetch --unshallow --tags"
    } else {
        "list revisions with git branch --all and git log --oneline"
    };
    Ok(format!("no revision is called {name}{hint}; {next}"))
}
