//! The package that becomes a service: its library, its program and its framework.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use cargo_metadata::semver::Version;
use cargo_metadata::{Dependency, DependencyKind, Metadata, Package, Target, TargetKind};

use crate::error::Usage;
use crate::place;

/// What a service is built on, as its dependencies tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Framework {
    /// `axum::serve` takes any listener.
    Axum,
    /// `axum::serve` takes tokio's listener only.
    OldAxum,
    Hyper,
    TokioTungstenite,
    Other,
}

/// The package of a service.
pub(super) struct Service<'a> {
    pub(super) package: &'a Package,
    pub(super) framework: Framework,
    /// The program: its package and its name.
    pub(super) program: Option<(String, String)>,
}

impl<'a> Service<'a> {
    /// The package called `name`, or without a name the one around `here`, or the only one with a framework.
    pub(super) fn find(workspace: &'a Metadata, name: Option<&str>, here: &Path) -> Result<Self> {
        let package = match name {
            Some(name) => place::member(workspace, name)?,
            None => match place::around(workspace, here) {
                Some(package) => package,
                None => only(workspace)?,
            },
        };
        let program = program(package, workspace);
        Ok(Self { package, framework: framework(package), program })
    }

    /// The crate's name of the library and its first file.
    pub(super) fn library(&self) -> Option<(String, PathBuf)> {
        let is_library = |target: &&Target| target.kind.contains(&TargetKind::Lib);
        let library = self.package.targets.iter().find(is_library)?;
        Some((library.name.replace('-', "_"), library.src_path.clone().into()))
    }

    /// The dependency called `name`, if the library has it.
    pub(super) fn dependency(&self, name: &str) -> Option<&Dependency> {
        dependency(self.package, name, DependencyKind::Normal)
    }

    /// The development dependency called `name`.
    pub(super) fn development_dependency(&self, name: &str) -> Option<&Dependency> {
        dependency(self.package, name, DependencyKind::Development)
    }

    pub(super) fn name(&self) -> &str {
        self.package.name.as_str()
    }
}

fn dependency<'a>(
    package: &'a Package,
    name: &str,
    kind: DependencyKind,
) -> Option<&'a Dependency> {
    package.dependencies.iter().find(|one| one.name == name && one.kind == kind)
}

fn framework(package: &Package) -> Framework {
    let normal = |name| dependency(package, name, DependencyKind::Normal);
    if let Some(axum) = normal("axum") {
        let takes_any = axum.req.matches(&Version::new(0, 8, u64::MAX));
        return if takes_any { Framework::Axum } else { Framework::OldAxum };
    }
    if normal("hyper").is_some() {
        return Framework::Hyper;
    }
    normal("tokio-tungstenite").map_or(Framework::Other, |_| Framework::TokioTungstenite)
}

/// The only package with a framework.
fn only(workspace: &Metadata) -> Result<&Package> {
    let members = place::members(workspace);
    let is_service = |one: &&Package| framework(one) != Framework::Other;
    let services: Vec<&Package> = members.iter().copied().filter(is_service).collect();
    match (&services[..], &members[..]) {
        ([one], _) | ([], [one]) => Ok(one),
        ([], _) => bail!(Usage(format!(
            "no package depends on axum, hyper or tokio-tungstenite; choose the service's with --package: {}",
            place::names(&members)
        ))),
        _ => bail!(Usage(format!(
            "several packages may be the service; choose one with --package: {}",
            place::names(&services)
        ))),
    }
}

/// The program of `package`, or that of the only package that depends on it and has one.
fn program(package: &Package, workspace: &Metadata) -> Option<(String, String)> {
    let of = |package: &Package| {
        let programs = package.targets.iter().filter(|one| one.kind.contains(&TargetKind::Bin));
        let programs: Vec<&str> = programs.map(|one| one.name.as_str()).collect();
        let usual = package.default_run.as_deref().or_else(|| {
            programs
                .iter()
                .copied()
                .find(|one| programs.len() == 1 || *one == package.name.as_str())
        });
        usual.map(|program| (package.name.to_string(), program.to_owned()))
    };
    of(package).or_else(|| {
        let members = place::members(workspace).into_iter();
        let users =
            members.filter(|one| dependency(one, &package.name, DependencyKind::Normal).is_some());
        let mut programs = users.filter_map(of);
        programs.next().filter(|_| programs.next().is_none())
    })
}
