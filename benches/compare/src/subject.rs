//! The services of a workspace: their servers, how these are started, and the suites that count them.
//!
//! They are written in `plimsoll.toml` beside the root manifest, or in that manifest, in `[workspace.metadata.plimsoll]` or
//! `[package.metadata.plimsoll]`:
//!
//! ```toml
//! [[service]]
//! name = "chat"                                    # [default: the server's package]
//! server = { package = "chat", bin = "chat" }      # bin [default: the one that cargo run runs]
//! command = "{bin} --port {port}"                  # [default: as a ws-server, which announces its address]
//! path = "/ws"                                     # [default: /]
//! conversation = "conversation.toml"               # below the root [default: an echo]
//! test = { package = "chat", test = "alloc" }      # [default: the server's package, alloc]
//! baselines = "tests/baselines"                    # below the test's package [default]
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use bench_show::hint::nearest;
use conversation::Conversation;

mod command_line;
mod file;
pub mod packages;
#[cfg(test)]
mod tests;

pub use command_line::CommandLine;
pub use file::FILE;
use file::{Entry, Written};
use packages::{Kind, Package, Packages};

/// The command that writes a configuration.
const INIT: &str = "cargo plimsoll init";

/// The name of the test that a service has unless another is named.
const ALLOC: &str = "alloc";

/// The services of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The folder of the root manifest.
    pub root: PathBuf,
    /// The folder of everything that cargo builds.
    pub target: PathBuf,
    /// One or more, in the order in which they are written.
    pub services: Vec<Service>,
}

/// A server, how it is started, and the suite that counts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name, which no other service of the workspace has.
    pub name: String,
    /// The package of the server.
    pub package: String,
    /// The program of the server.
    pub bin: String,
    /// How it is started; `None` for a server with the flags of a `ws-server`, which prints its address.
    pub command: Option<CommandLine>,
    /// The path that it serves WebSockets on.
    pub path: String,
    /// The file of what a client says; `None` for texts that come back.
    pub conversation: Option<PathBuf>,
    /// The package of the suite.
    pub test_package: String,
    /// The test target that is the suite.
    pub test: String,
    /// The folder of the suite's numbers. It may not exist yet.
    pub baselines: PathBuf,
}

impl Service {
    /// The command that runs the suite.
    #[must_use]
    pub fn suite(&self) -> String {
        format!("cargo test --release -p {} --test {} -- suite", self.test_package, self.test)
    }
}

impl Subject {
    /// The services of the workspace that contains the folder `here`. Without a configuration, the only package that has a
    /// program and a test `alloc`.
    ///
    /// # Errors
    ///
    /// If there is no workspace, or its configuration makes no sense: the file, the key, the value, and what to write.
    pub fn find(here: &Path) -> Result<Self> {
        let packages = Packages::of(here)?;
        let services = match Written::read(&packages.root)? {
            None => vec![inferred(&packages)?],
            Some(Written { file, services }) => {
                let services = services.into_iter().map(|entry| checked(file, entry, &packages));
                services.collect::<Result<Vec<_>>>()?
            }
        };
        for (at, Service { name, .. }) in services.iter().enumerate() {
            let is_twice = services[..at].iter().any(|other| other.name == *name);
            ensure!(!is_twice, "two services are called {name}; give one another name = \"…\"");
        }
        Ok(Self { root: packages.root, target: packages.target, services })
    }

    /// The service called `name`; without a name, all of them.
    ///
    /// # Errors
    ///
    /// If there is none of that name: the nearest one.
    pub fn named(&self, name: Option<&str>) -> Result<&[Service]> {
        let Some(name) = name else { return Ok(&self.services) };
        if let Some(at) = self.services.iter().position(|service| service.name == name) {
            return Ok(&self.services[at..=at]);
        }
        let known: Vec<&str> = self.services.iter().map(|service| service.name.as_str()).collect();
        bail!("there is no service {name}; this workspace has {}", known.join(", "))
    }
}

fn inferred(packages: &Packages) -> Result<Service> {
    let has_suite = |package: &&Package| {
        package.has(Kind::Test, ALLOC) && package.targets(Kind::Bin).next().is_some()
    };
    let found: Vec<&Package> = packages.packages.iter().filter(has_suite).collect();
    let [package] = found[..] else {
        let names: Vec<&str> = found.iter().map(|package| package.name.as_str()).collect();
        let what = if names.is_empty() {
            format!("no package in {} has a program and a test {ALLOC}", packages.root.display())
        } else {
            format!("{} have a program and a test {ALLOC}", names.join(" and "))
        };
        bail!(
            "{what}; write the services in {FILE}: {INIT} does it, or [[service]] with server = {{ package = \"…\" }}"
        )
    };
    let bin = default_bin(package).with_context(|| format!("there is no {FILE}"))?;
    Ok(Service {
        name: package.name.clone(),
        package: package.name.clone(),
        bin,
        command: None,
        path: "/".to_owned(),
        conversation: None,
        test_package: package.name.clone(),
        test: ALLOC.to_owned(),
        baselines: package.folder().join("tests/baselines"),
    })
}

fn checked(file: &str, entry: Entry, packages: &Packages) -> Result<Service> {
    let Entry { name, server, command, path, conversation, test, baselines } = entry;
    let name = name.unwrap_or_else(|| server.package.clone());
    let place = || format!("{file}: service {name}");
    let server_package = package(packages, "server", &server.package).with_context(place)?;
    let bin = match server.bin {
        Some(bin) => target(server_package, Kind::Bin, "server", bin),
        None => default_bin(server_package),
    };
    let test = test.unwrap_or_default();
    let test_package = test.package.unwrap_or(server.package);
    let test_package = package(packages, "test", &test_package).with_context(place)?;
    let test = target(test_package, Kind::Test, "test", test.test.unwrap_or_else(|| ALLOC.into()));
    let command = command.map(|text| {
        let parsed = text.parse::<CommandLine>();
        parsed.map_err(|why| {
            let example = "command = \"{bin} --port {port}\"";
            anyhow::anyhow!("command = {text:?}: {why}; for instance {example}")
        })
    });
    let path = path.unwrap_or_else(|| "/".to_owned());
    ensure!(
        path.starts_with('/') && !path.contains(char::is_whitespace),
        "{}: path = {path:?} is no path; it begins with / and has no white space",
        place()
    );
    let conversation = conversation.map(|file| packages.root.join(file));
    if let Some(missing) = conversation.as_ref().filter(|file| !file.is_file()) {
        bail!("{}: conversation = {missing:?} is no file below the root", place());
    }
    // Before anything is built.
    conversation.as_deref().map(Conversation::load).transpose().with_context(place)?;
    Ok(Service {
        bin: bin.with_context(place)?,
        command: command.transpose().with_context(place)?,
        path,
        conversation,
        test: test.with_context(place)?,
        baselines: test_package
            .folder()
            .join(baselines.unwrap_or_else(|| "tests/baselines".into())),
        test_package: test_package.name.clone(),
        package: server_package.name.clone(),
        name,
    })
}

fn package<'a>(packages: &'a Packages, key: &str, name: &str) -> Result<&'a Package> {
    packages.find(name).with_context(|| {
        let known = packages.packages.iter().map(|package| package.name.as_str());
        format!("{key}.package = {name:?} is no package of this workspace{}", near(name, known))
    })
}

fn target(package: &Package, kind: Kind, key: &str, name: String) -> Result<String> {
    if package.has(kind, &name) {
        return Ok(name);
    }
    let of = &package.name;
    let near = near(&name, package.targets(kind));
    let kind = kind.name();
    let cure = if kind == "test" { format!("; add it: {INIT}") } else { String::new() };
    bail!("{key}.{kind} = {name:?} is no {kind} of {of}{near}{cure}")
}

fn default_bin(package: &Package) -> Result<String> {
    let name = &package.name;
    package.default_bin().map(str::to_owned).with_context(|| {
        let all: Vec<&str> = package.targets(Kind::Bin).collect();
        if all.is_empty() {
            format!("server.package = {name:?} has no program; name the package with the server")
        } else {
            format!(
                "{name} has the programs {}; name the server's: server = {{ package = {name:?}, bin = \"…\" }}",
                all.join(", ")
            )
        }
    })
}

/// `; the nearest is chat`, or all if there are few.
fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    match nearest(name, known.iter().copied()) {
        Some(nearest) => format!("; the nearest is {nearest}"),
        None if known.is_empty() => String::new(),
        None => format!("; there are {}", known.join(", ")),
    }
}
