//! The suites of the workspace, and the folders of their numbers.

use std::path::{Path, PathBuf};

use anyhow::Result;
use baselines::Pending;
use cargo_metadata::{Metadata, TargetKind};
use compare::subject::{FILE, Subject};

use crate::error::{NotComparable, Usage};
use crate::place;

/// The suites of the workspace around a folder.
pub(crate) struct Suites {
    all: Vec<Suite>,
}

struct Suite {
    package: String,
    test: String,
    baselines: PathBuf,
}

impl Suites {
    /// All tests of the workspace around `here`, which is in a git repository: numbers are recorded in one.
    pub(crate) fn around(here: &Path) -> Result<Self> {
        place::repository(here)?;
        let workspace = place::workspace(here)?;
        let root = workspace.workspace_root.clone().into_std_path_buf();
        let services = if is_configured(&workspace) {
            let subject = Subject::find(&root).map_err(|error| Usage(format!("{error:#}")))?;
            subject.services
        } else {
            Vec::new()
        };
        let mut all = Vec::new();
        for package in place::members(&workspace) {
            let tests = package.targets.iter().filter(|one| one.kind.contains(&TargetKind::Test));
            for test in tests {
                let of = |one: &&compare::subject::Service| {
                    one.test_package == package.name.as_str() && one.test == test.name
                };
                let named = services.iter().find(of).map(|service| service.baselines.clone());
                all.push(Suite {
                    package: package.name.to_string(),
                    test: test.name.clone(),
                    baselines: named
                        .unwrap_or_else(|| place::home(package).join("tests/baselines")),
                });
            }
        }
        Ok(Self { all })
    }

    /// The folders of numbers, each once.
    pub(crate) fn folders(&self) -> Vec<&Path> {
        let mut folders: Vec<&Path> =
            self.all.iter().map(|suite| suite.baselines.as_path()).collect();
        folders.sort();
        folders.dedup();
        folders
    }

    /// The folder of the numbers of `pending`.
    ///
    /// # Errors
    ///
    /// [`NotComparable`] if this workspace has no such test.
    pub(crate) fn baselines(&self, pending: &Pending) -> Result<&Path> {
        let Pending { package, test, .. } = pending;
        let of_package = || self.all.iter().filter(|suite| suite.package == *package);
        let found = of_package().find(|suite| suite.test == *test);
        let known = |names: Vec<&str>| names.join(", ");
        found.map(|suite| suite.baselines.as_path()).ok_or_else(|| {
            let tests = known(of_package().map(|suite| suite.test.as_str()).collect());
            let what = if tests.is_empty() {
                format!("this workspace has no package {package} with tests")
            } else {
                format!("{package} has no test {test}; it has {tests}")
            };
            NotComparable(format!("{} is of another tree: {what}", pending.id)).into()
        })
    }
}

/// Whether services are written somewhere: without that, there is nothing to be wrong.
fn is_configured(workspace: &Metadata) -> bool {
    let root = &workspace.workspace_root;
    let package = workspace.root_package().map(|package| &package.metadata);
    root.join(FILE).exists()
        || [Some(&workspace.workspace_metadata), package]
            .into_iter()
            .flatten()
            .any(|metadata| metadata.get("plimsoll").is_some())
}
