//! Two revisions → two sets of programs, built alike and one after the other in the same folder.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::model::Side;
use super::subject::{Service, Subject};

mod cargo;
mod checkout;
mod commit;
mod git;
mod programs;
mod snapshot;
#[cfg(test)]
mod tests;

use cargo::Plan;
use checkout::Checkout;
use commit::Revision;
use git::Git;
pub use programs::Built;

/// Base and head, and the folder that both are built in. Dropping this, or a signal, removes the checked out files,
/// which the runners read while they run. The programs are kept for the next comparison.
#[derive(Debug)]
pub struct Arms {
    checkout: Checkout,
    /// The workspace's folder in the repository.
    root: PathBuf,
    base: Revision,
    head: Revision,
}

impl Arms {
    /// The arms of the checkout with the workspace `subject`. Without `head`, head is the working tree with its uncommitted
    /// files; neither the tree nor its index is changed.
    ///
    /// # Errors
    ///
    /// If a revision is unknown, if there is no git repository, or if another comparison runs in this checkout.
    pub fn open(subject: &Subject, base: &str, head: Option<&str>) -> Result<Self> {
        let git = Git::of_checkout(&subject.root)?;
        let base = Revision::resolve(&git, base)?;
        let root = PathBuf::from(git.run(&["rev-parse", "--show-prefix"])?);
        let checkout = Checkout::open(git, &subject.target.join("compare"))?;
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
        Ok(Self { checkout, root, base, head })
    }

    /// Base and head, as reports name them.
    #[must_use]
    pub fn sides(&self) -> [Side; 2] {
        [self.base.side(), self.head.side()]
    }

    /// Builds base, then head, of all `services`, unless their programs exist. `say` is told a line for each build.
    ///
    /// # Errors
    ///
    /// If an arm does not build: its name and the compiler's message.
    pub fn build(&mut self, services: &[Service], say: &dyn Fn(&str)) -> Result<Vec<[Built; 2]>> {
        let Self { checkout, root, base, head } = self;
        // Not service by service: each change of the tree makes cargo build its packages anew.
        let mut build = |name: &str, revision: &Revision| {
            let tree = checkout.check_out(revision)?.join(&root);
            let built = services.iter().map(|service| {
                let plan = Plan { service, services: services.len(), tree: &tree, arm: name };
                cargo::build(plan, checkout.folder(), revision, say)
            });
            built.collect::<Result<Vec<_>>>()
        };
        let (base, head) = (build("base", base)?, build("head", head)?);
        Ok(base.into_iter().zip(head).map(|(base, head)| [base, head]).collect())
    }
}
