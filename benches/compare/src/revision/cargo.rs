//! Builds the programs of one arm with cargo, unless they are kept from an earlier build.
//!
//! Both arms are built from the same folder, into the same folder, with the same flags. Equal trees thus give equal
//! files, without remapped paths and with the user's own flags for rustc. Common dependencies are built once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::commit::{Revision, WORKING_TREE};
use super::programs::{Built, Inputs, Kept};
use crate::cleanup::{self, Child};
use crate::layout::LINKER_SCRIPT;
use crate::subject::Service;
use crate::subject::packages::{Kind, Packages};

/// One codegen unit, because the split into units decides where functions lie.
const ENVIRONMENT: [(&str, &str); 2] =
    [("CARGO_INCREMENTAL", "0"), ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")];

/// Added for the runner, whose call sites are to have functions, files and lines. A server keeps what its profile says.
const WITH_SITES: [(&str, &str); 2] =
    [("CARGO_PROFILE_RELEASE_DEBUG", "limited"), ("CARGO_PROFILE_RELEASE_STRIP", "none")];

/// What is built.
#[derive(Clone, Copy)]
pub(super) struct Plan<'a> {
    pub(super) service: &'a Service,
    /// How many services are compared.
    pub(super) services: usize,
    /// The workspace's folder, checked out.
    pub(super) tree: &'a Path,
    /// `base` or `head`.
    pub(super) arm: &'a str,
}

/// Builds the programs of `revision`, which is checked out, below `folder`, unless they were built before.
pub(super) fn build(
    plan: Plan<'_>,
    folder: &Path,
    revision: &Revision,
    say: &dyn Fn(&str),
) -> Result<Built> {
    let Plan { service, services, tree, arm } = plan;
    let mut name = format!("{arm} ({revision})");
    if services > 1 {
        name = format!("{name} of {}", service.name);
    }
    ensure!(
        tree.join("Cargo.toml").is_file(),
        "{name} has no Cargo.toml in the folder of this workspace; {LATER}"
    );
    ensure!(
        tree.join("Cargo.lock").is_file(),
        "{name} has no Cargo.lock, and without it base and head may be built of different packages; commit it (git add \
         --force Cargo.lock), and compare with a revision that has it"
    );
    let commands = [server(service), runner(service)].map(|words| words.join(" "));
    let commands =
        commands.into_iter().chain([LINKER_SCRIPT.to_owned(), format!("{WITH_SITES:?}")]);
    let inputs = Inputs::of(tree, &revision.tree, commands.collect(), &ENVIRONMENT)
        .with_context(|| format!("cannot build {name}"))?;
    let compiler = inputs.compiler();
    let kept = Kept::of(folder, inputs, services);
    if let Some(built) = kept.find() {
        built.note(&name);
        return Ok(built);
    }
    say(&format!("building {name}"));
    let programs = kept.begin()?;
    let built = Build { service, tree, folder, programs, revision, name, compiler }.run()?;
    kept.finish(&built)?;
    Ok(built)
}

/// What helps if a revision lacks something.
const LATER: &str = "compare with a later revision";

/// Arguments of cargo behind `build` or `rustc`.
fn server(service: &Service) -> Vec<&str> {
    vec!["--release", "--locked", "--package", &service.package, "--bin", &service.bin]
}

fn runner(service: &Service) -> Vec<&str> {
    let target = ["--package", &service.test_package, "--test", &service.test, "--no-run"];
    [&["test", "--release", "--locked"], &target[..]].concat()
}

struct Build<'a> {
    service: &'a Service,
    tree: &'a Path,
    /// The folder that both arms are built in.
    folder: &'a Path,
    programs: PathBuf,
    revision: &'a Revision,
    /// The arm's name in errors: `base (main, 49d2e13)`.
    name: String,
    compiler: String,
}

impl Build<'_> {
    fn run(&self) -> Result<Built> {
        let Service { package, bin, test_package, test, .. } = self.service;
        let packages = self.packages()?;
        let has = |package: &str, kind, target: &str| {
            packages.find(package).is_some_and(|package| package.has(kind, target))
        };
        ensure!(
            has(package, Kind::Bin, bin),
            "{} has no program {bin} in the package {package}; {LATER}",
            self.name
        );
        let (server, unaligned) = self.server()?;
        let runner = if has(test_package, Kind::Test, test) {
            Ok(self.program(&runner(self.service), &WITH_SITES, &[], test, "runner")?)
        } else {
            Err(format!(
                "{} has no allocation scenarios, the test {test} of {test_package}; {LATER}",
                self.name
            ))
        };
        let built = Built { server, runner, compiler: self.compiler.clone(), unaligned };
        built.note(&self.name);
        Ok(built)
    }

    fn packages(&self) -> Result<Packages> {
        let mut cargo = self.cargo(&["metadata", "--no-deps", "--locked", "--format-version=1"]);
        Packages::parse(&self.answer(cargo.stderr(Stdio::piped()))?)
    }

    /// The server with aligned functions. If its linker refuses the script, the plain server and the reason.
    fn server(&self) -> Result<(PathBuf, Option<String>)> {
        let (arguments, bin) = (server(self.service), &self.service.bin);
        let build = |command, rustc: &[&str]| {
            self.program(&[&[command], &arguments[..]].concat(), &[], rustc, bin, "server")
        };
        let plain = build("build", &[])?;
        // One path for both arms.
        let script = self.folder.join("functions.ld");
        fs::write(&script, LINKER_SCRIPT).with_context(|| {
            format!("cannot write {}; check the disk with df -h", script.display())
        })?;
        let script = format!("link-arg=-T{}", script.display());
        match build("rustc", &["-C", &script]) {
            Ok(aligned) => Ok((aligned, None)),
            Err(error) if plain.is_file() => Ok((plain, Some(format!("{error:#}")))),
            // The disk failed, not the linker.
            Err(error) => Err(error),
        }
    }

    /// Builds `target` in an environment with `more` and copies its program to `name`, because the next build overwrites
    /// it. It prints nothing.
    fn program(
        &self,
        command: &[&str],
        more: &[(&str, &str)],
        rustc: &[&str],
        target: &str,
        name: &str,
    ) -> Result<PathBuf> {
        let mut cargo = self.cargo(command);
        cargo.envs(more.iter().copied());
        cargo.arg("--message-format=json-render-diagnostics");
        // Hundreds of lines would scroll the step away; an error quotes what the compiler says.
        cargo.arg("--quiet").stderr(Stdio::piped());
        if !rustc.is_empty() {
            cargo.arg("--").args(rustc);
        }
        let stdout = String::from_utf8(self.answer(&mut cargo)?)
            .context("cargo printed JSON that is not UTF-8")?;
        let messages = stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let built = messages
            .filter(|message| message["target"]["name"] == target)
            .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
            .next_back();
        let built = built.with_context(|| {
            format!("cargo built no {target} of {}; try: cargo {}", self.name, command.join(" "))
        })?;
        let kept = self.programs.join(name);
        // A program that still runs cannot be overwritten, only removed.
        drop(fs::remove_file(&kept));
        fs::copy(&built, &kept).with_context(|| {
            format!("cannot write {}; check the disk with df -h", kept.display())
        })?;
        Ok(kept)
    }

    fn cargo(&self, args: &[&str]) -> Command {
        let mut cargo = Command::new("cargo");
        cargo.args(args).current_dir(self.tree).envs(ENVIRONMENT);
        // Both variables: a build folder that the user configured must not be used.
        let build = self.folder.join("build");
        cargo.env("CARGO_TARGET_DIR", &build).env("CARGO_BUILD_BUILD_DIR", &build);
        cargo.stdin(Stdio::null()).stdout(Stdio::piped());
        cargo
    }

    /// The stdout of a cargo command.
    fn answer(&self, cargo: &mut Command) -> Result<Vec<u8>> {
        let output = cleanup::spawn(cargo).and_then(Child::wait_with_output);
        let output = output.context("cannot run cargo; install it from https://rustup.rs")?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let message = String::from_utf8_lossy(&output.stderr);
        let message = if message.is_empty() { "cargo gave no reason" } else { message.trim_end() };
        let commit = &self.revision.abbreviated;
        let go_there = if self.revision.name == WORKING_TREE {
            String::new()
        } else {
            format!("git worktree add ../{commit} {commit} && cd ../{commit} && ")
        };
        let args: Vec<_> = cargo.get_args().map(|arg| arg.to_string_lossy()).collect();
        let args = args.iter().filter(|arg| !arg.starts_with("--message") && *arg != "--quiet");
        let args: Vec<&str> = args.map(AsRef::as_ref).collect();
        if message.contains("failed to load source for dependency") {
            bail!(
                "{} does not build:\n{message}\na path out of the repository leads nowhere from the folder that it is \
                 checked out into; write that dependency's absolute path",
                self.name
            );
        }
        bail!("{} does not build:\n{message}\ntry: {go_there}cargo {}", self.name, args.join(" "))
    }
}
