//! Two revisions → two sets of programs, built alike and one after the other in the same folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::model::Side;

mod cargo;
mod checkout;
mod commit;
mod git;
mod packages;
mod programs;
mod snapshot;
#[cfg(test)]
mod tests;

use checkout::Checkout;
use commit::Revision;
use git::Git;
pub use programs::Built;

/// Base and head, and the folder that both are built in. Dropping this, or a signal, removes the checked out files,
/// which the runners read while they run. The programs are kept for the next comparison.
#[derive(Debug)]
pub struct Arms {
    checkout: Checkout,
    base: Revision,
    head: Revision,
}

impl Arms {
    /// The arms of the checkout that contains the current folder. Without `head`, head is the working tree with its
    /// uncommitted files; neither the tree nor its index is changed.
    ///
    /// # Errors
    ///
    /// If a revision is unknown, if there is no git repository, or if another comparison runs in this checkout.
    pub fn open(base: &str, head: Option<&str>) -> Result<Self> {
        let workspace = workspace();
        Self::open_in(&workspace, &target(&workspace), base, head)
    }

    /// The arms of the checkout `workspace`, built below the folder `target`.
    ///
    /// # Errors
    ///
    /// As [`Arms::open`].
    pub fn open_in(
        workspace: &Path,
        target: &Path,
        base: &str,
        head: Option<&str>,
    ) -> Result<Self> {
        let git = Git::of_checkout(workspace)?;
        let base = Revision::resolve(&git, base)?;
        let checkout = Checkout::open(git, &target.join("compare"))?;
        let head = match head {
            Some(head) => Revision::resolve(checkout.git(), head)?,
            None => {
                let snapshot = checkout.snapshot();
                let snapshot = snapshot.context(
                    "cannot commit a snapshot of the working tree; name a HEAD revision",
                )?;
                Revision::working_tree(checkout.git(), &snapshot)?
            }
        };
        snapshot::same_submodules(checkout.git(), &base.commit, &head.commit)?;
        Ok(Self { checkout, base, head })
    }

    /// Base and head, as reports name them.
    #[must_use]
    pub fn sides(&self) -> [Side; 2] {
        [self.base.side(), self.head.side()]
    }

    /// Builds base, then head, unless their programs exist. `say` is told a line for each build; without it, cargo
    /// shows its progress on stderr.
    ///
    /// # Errors
    ///
    /// If an arm does not build: its name and the compiler's message.
    pub fn build(&mut self, say: Option<&dyn Fn(&str)>) -> Result<[Built; 2]> {
        let Self { checkout, base, head } = self;
        let mut build = |name: &str, revision: &Revision| {
            let tree = checkout.check_out(revision)?;
            cargo::build(&tree, checkout.folder(), name, revision, say)
        };
        Ok([build("base", base)?, build("head", head)?])
    }
}

/// The root of the checkout that contains the current folder (scripts go there first), or else of the checkout that
/// this program was built from.
#[must_use]
pub fn workspace() -> PathBuf {
    let is_root = |folder: &&Path| folder.join("benches/Cargo.toml").is_file();
    let here = std::env::current_dir().ok();
    let here = here.as_deref().and_then(|here| here.ancestors().find(is_root));
    let built_from = || {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        package.ancestors().nth(2).expect("invariant: the package is in benches/compare")
    };
    here.unwrap_or_else(built_from).to_owned()
}

/// Cargo's target folder of `workspace`.
fn target(workspace: &Path) -> PathBuf {
    workspace.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}
