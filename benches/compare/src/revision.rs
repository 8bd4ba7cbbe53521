//! Two revisions → two sets of programs, built alike and one after the other in the same folder.

use std::fmt;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::model::Side;

mod cargo;
mod checkout;
mod git;
mod packages;
#[cfg(test)]
mod tests;

pub use cargo::Built;
use checkout::Checkout;
use git::Git;

/// What a tree that nobody has committed is called. No revision is: there is a space in it.
const WORKING_TREE: &str = "working tree";

/// Base and head, and the one place where they are built. What is built stays for the next time; the tree goes with
/// this, and with [`cleanup`](super::cleanup) on a signal. Runners read it, so it must outlive them.
#[derive(Debug)]
pub struct Arms {
    checkout: Checkout,
    revisions: [Revision; 2],
    on_terminal: bool,
}

impl Arms {
    /// The arms of the checkout in the current folder. Without a head, that is the working tree as it is now, with what
    /// is not committed; neither it nor its index is touched.
    ///
    /// # Errors
    ///
    /// If there is no such revision, no git repository, or another comparison in this checkout.
    pub fn open(base: &str, head: Option<&str>) -> Result<Self> {
        let workspace = workspace();
        Self::open_in(&workspace, &target(&workspace), base, head)
    }

    fn open_in(workspace: &Path, target: &Path, base: &str, head: Option<&str>) -> Result<Self> {
        let git = Git::of_checkout(workspace)?;
        let base = Revision::resolve(&git, base)?;
        let checkout = Checkout::open(git, &target.join("compare"))?;
        let head = match head {
            Some(head) => Revision::resolve(checkout.git(), head)?,
            None => Revision::working_tree(&checkout)?,
        };
        let on_terminal = std::io::stderr().is_terminal();
        Ok(Self { checkout, revisions: [base, head], on_terminal })
    }

    /// What a report calls base and head.
    #[must_use]
    pub fn sides(&self) -> [Side; 2] {
        [0, 1].map(|arm| self.revisions[arm].side())
    }

    /// Builds base, then head, if that has not been done before. On a terminal, cargo says how far it is; else `say`
    /// hears a line for each arm.
    ///
    /// # Errors
    ///
    /// If an arm does not build: which one, and the compiler's words.
    pub fn build(&mut self, say: &dyn Fn(&str)) -> Result<[Built; 2]> {
        let mut build = |name: &str, arm: usize| {
            let revision = &self.revisions[arm];
            let tree = self.checkout.check_out(revision)?;
            // Names of one length, since a program's own path is on its stack.
            let folder = self.checkout.folder().join(name);
            cargo::build(&tree, &folder, name, revision, (!self.on_terminal).then_some(say))
        };
        Ok([build("base", 0)?, build("head", 1)?])
    }
}

/// The root of the checkout that the current folder is in (scripts go there first), else of the one that this was built
/// from.
#[must_use]
pub fn workspace() -> PathBuf {
    let is_root = |folder: &&Path| folder.join("benches/Cargo.toml").is_file();
    let here = std::env::current_dir().ok();
    let here = here.as_deref().and_then(|here| here.ancestors().find(is_root));
    let built_from =
        || Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("it lies in benches");
    here.unwrap_or_else(built_from).to_owned()
}

/// Cargo's target folder of `workspace`.
fn target(workspace: &Path) -> PathBuf {
    workspace.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// A tree of files that git knows.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Revision {
    /// What the user called it, or [`WORKING_TREE`].
    name: String,
    /// The commit; of a working tree one that no branch leads to.
    commit: String,
    /// The first digits of the commit.
    abbreviated: String,
    /// The id of the tree: equal trees, equal programs.
    tree: String,
}

impl Revision {
    fn resolve(git: &Git, name: &str) -> Result<Self> {
        let commit = format!("{name}^{{commit}}");
        // What begins with a dash would be an option.
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

    /// The files in the checkout, less those that git ignores.
    fn working_tree(checkout: &Checkout) -> Result<Self> {
        let commit = checkout.snapshot();
        let commit = commit.context("cannot take the working tree; name a revision for head")?;
        Self::of_commit(checkout.git(), WORKING_TREE, &commit)
    }

    fn of_commit(git: &Git, name: &str, commit: &str) -> Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            commit: commit.to_owned(),
            abbreviated: git.run(&["rev-parse", "--short", commit])?,
            tree: git.run(&["rev-parse", &format!("{commit}^{{tree}}")])?,
        })
    }

    fn side(&self) -> Side {
        let commit = (self.name != WORKING_TREE).then(|| self.abbreviated.clone());
        Side { name: self.name.clone(), commit }
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

/// What to say of a name that stands for no commit.
fn unknown(git: &Git, name: &str) -> Result<String> {
    let refs =
        ["for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags"];
    let known = git.run(&refs)?;
    let likeness = |known: &str| {
        // Who types `main` may have it as `origin/main` only.
        let last = known.rsplit('/').next().unwrap_or(known);
        strsim::jaro_winkler(known, name).max(strsim::jaro_winkler(last, name))
    };
    let nearest = known.lines().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let nearest = nearest.filter(|known| likeness(known) > 0.75);
    let hint = nearest.map_or_else(String::new, |known| format!("; the nearest is {known}"));
    let next = if git.run(&["rev-parse", "--is-shallow-repository"])? == "true" {
        "this clone is shallow, so it may be further back: git fetch --unshallow --tags"
    } else {
        "git branch --all and git log --oneline list what there is"
    };
    Ok(format!("no revision is called {name}{hint}; {next}"))
}
