//! Where a command runs: a cargo workspace in a git repository.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand, Package};

use crate::error::Usage;

/// The workspace around `folder`.
///
/// # Errors
///
/// [`Usage`] if there is none, or its manifest makes no sense to cargo.
pub(crate) fn workspace(folder: &Path) -> Result<Metadata> {
    let metadata = MetadataCommand::new().current_dir(folder).no_deps().exec();
    metadata.map_err(|error| {
        let words = error.to_string();
        let words = if words.contains("could not find `Cargo.toml`") {
            format!(
                "{} is in no cargo workspace; go to your service's folder and type this again",
                folder.display()
            )
        } else {
            format!("{}; cargo metadata says more", words.replace('\n', " ").trim())
        };
        Usage(words).into()
    })
}

/// The root of the git repository around `folder`.
///
/// # Errors
///
/// [`Usage`] if there is none.
pub(crate) fn repository(folder: &Path) -> Result<PathBuf> {
    let found = git(folder, &["rev-parse", "--show-toplevel"])?;
    Ok(PathBuf::from(found.with_context(|| {
        Usage(format!(
            "{} is in no git repository, where numbers would be recorded; type: git init",
            folder.display()
        ))
    })?))
}

/// What git prints for `arguments`, or none if it fails.
///
/// # Errors
///
/// If there is no git.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> Result<Option<String>> {
    let output = Command::new("git").args(arguments).current_dir(folder).output();
    let output = output.context("cannot start git; install it")?;
    let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    Ok(output.status.success().then_some(text))
}

/// Members of the workspace.
pub(crate) fn members(workspace: &Metadata) -> Vec<&Package> {
    workspace.workspace_packages()
}

/// The member called `name`.
///
/// # Errors
///
/// [`Usage`] with the names that there are.
pub(crate) fn member<'a>(workspace: &'a Metadata, name: &str) -> Result<&'a Package> {
    let found = members(workspace).into_iter().find(|one| one.name.as_str() == name);
    found.with_context(|| {
        Usage(format!(
            "no package of this workspace is called {name}; there are {}",
            names(&members(workspace))
        ))
    })
}

/// Their names, with commas.
pub(crate) fn names(packages: &[&Package]) -> String {
    packages.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// The member whose folder is `folder` or the nearest one above it.
pub(crate) fn around<'a>(workspace: &'a Metadata, folder: &Path) -> Option<&'a Package> {
    let of = |one: &&Package| folder.starts_with(home(one));
    members(workspace).into_iter().filter(of).max_by_key(|one| home(one).as_os_str().len())
}

/// The folder of a package.
pub(crate) fn home(package: &Package) -> &Path {
    let folder = package.manifest_path.parent().expect("a manifest is in a folder");
    folder.as_std_path()
}
