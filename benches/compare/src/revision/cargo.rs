//! The programs of one arm: built by cargo, or kept from an earlier build.
//!
//! Both arms are built from the same folder, into the same folder, with the same flags. Equal trees thus give equal
//! files, without remapped paths and with the user's own flags for rustc. Common dependencies are built once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::commit::{Revision, WORKING_TREE};
use super::packages::Packages;
use crate::cleanup::{self, Child};
use crate::layout::LINKER_SCRIPT;

/// The programs of one arm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    /// `ws-server`.
    pub server: PathBuf,
    /// The runner of the allocation scenarios, with dhat, or the reason why there is none.
    pub runner: Result<PathBuf, String>,
    /// The runner without dhat, for callgrind.
    pub bare_runner: Result<PathBuf, String>,
    /// The reason why the server's functions are not aligned, if they are not.
    unaligned: Option<String>,
}

impl Built {
    fn note(&self, name: &str) {
        if let Some(why) = &self.unaligned {
            eprintln!(
                "note: {name} is compared without aligned functions, so code that only moved may seem slower or faster: \
                 {why}"
            );
        }
    }
}

const SERVER: &[&str] = &["--release", "--locked", "--package", "server", "--bin", "ws-server"];

const RUNNER: &[&str] =
    &["test", "--release", "--locked", "--package", "alloc-tests", "--test", "alloc", "--no-run"];

/// Added to [`RUNNER`] for a runner without dhat.
const BARE: &str = "--no-default-features";

/// One codegen unit, because the split into units decides where functions lie.
const ENVIRONMENT: [(&str, &str); 2] =
    [("CARGO_INCREMENTAL", "0"), ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")];

/// Prefixes of the variables that change a build.
const BUILD_VARIABLES: [&str; 6] = [
    "CARGO_BUILD_",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "RUSTC",
    "RUSTFLAGS",
];

/// Builds the programs of `revision`, whose files are in `tree`, and keeps them in `folder`, unless they are there
/// already. Without `say`, cargo shows its progress on stderr.
pub(super) fn build(
    tree: &Path,
    folder: &Path,
    arm: &str,
    revision: &Revision,
    say: Option<&dyn Fn(&str)>,
) -> Result<Built> {
    let name = format!("{arm} ({revision})");
    let build = Build { tree, folder, revision, name, quiet: say.is_some() };
    let stamp = folder.join("stamp.json");
    let inputs = build.inputs()?;
    if let Some(built) = finished(&stamp, &inputs) {
        built.note(&build.name);
        return Ok(built);
    }
    // Until the build has finished there is no valid stamp.
    fs::create_dir_all(folder.join("bin")).and_then(|()| fs::write(&stamp, "")).with_context(
        || format!("cannot write in {}; check the disk with df -h", folder.display()),
    )?;
    if let Some(say) = say {
        say(&format!("building {}", build.name));
    }
    let built = build.run()?;
    built.note(&build.name);
    let text = serde_json::to_string_pretty(&Stamp { inputs, built: built.clone() })?;
    fs::write(&stamp, text)
        .with_context(|| format!("cannot write {}; check the disk with df -h", stamp.display()))?;
    Ok(built)
}

/// Inputs and outputs of the last build that finished.
#[derive(Serialize, Deserialize)]
struct Stamp {
    inputs: Inputs,
    built: Built,
}

/// Everything that a build depends on.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Inputs {
    /// Part of the programs: they contain the paths of their sources.
    path: PathBuf,
    tree: String,
    rustc: String,
    commands: [String; 3],
    environment: BTreeMap<String, String>,
    /// Cargo's configuration files outside the tree.
    configuration: BTreeMap<PathBuf, String>,
}

fn finished(stamp: &Path, inputs: &Inputs) -> Option<Built> {
    let stamp: Stamp = serde_json::from_slice(&fs::read(stamp).ok()?).ok()?;
    let Built { server, runner, bare_runner, .. } = &stamp.built;
    let programs = [Some(server), runner.as_ref().ok(), bare_runner.as_ref().ok()];
    let there = programs.into_iter().flatten().all(|program| program.is_file());
    (there && stamp.inputs == *inputs).then_some(stamp.built)
}

struct Build<'a> {
    tree: &'a Path,
    folder: &'a Path,
    revision: &'a Revision,
    /// The arm's name in errors: `base (main, 49d2e13)`.
    name: String,
    quiet: bool,
}

impl Build<'_> {
    fn inputs(&self) -> Result<Inputs> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        // Run in the tree, which may pin a toolchain.
        let version = cleanup::output(Command::new(rustc).arg("-vV").current_dir(self.tree));
        let version = version.context("cannot run rustc; install it from https://rustup.rs")?;
        ensure!(
            version.status.success(),
            "rustc does not run for {}: {}\ntry: rustup toolchain install",
            self.name,
            String::from_utf8_lossy(&version.stderr).trim()
        );
        let is_input = |name: &str| {
            name != "CARGO_TARGET_DIR"
                && BUILD_VARIABLES.iter().any(|start| name.starts_with(start))
        };
        let lossy = |text: OsString| text.to_string_lossy().into_owned();
        let users = std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value)));
        let ours = ENVIRONMENT.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Inputs {
            path: self.tree.to_owned(),
            tree: self.revision.tree.clone(),
            rustc: String::from_utf8_lossy(&version.stdout).trim().to_owned(),
            commands: [SERVER.join(" "), RUNNER.join(" "), LINKER_SCRIPT.to_owned()],
            environment: users.filter(|(name, _)| is_input(name)).chain(ours).collect(),
            configuration: configuration(self.tree),
        })
    }

    fn run(&self) -> Result<Built> {
        let packages = self.packages()?;
        let older = "compare with a later revision";
        ensure!(
            packages.have_target("server", "ws-server"),
            "{} has no ws-server; {older}",
            self.name
        );
        let (server, unaligned) = self.server()?;
        let none = |what| Err(format!("{} has no {what}; {older}", self.name));
        let has_runner = packages.have_target("alloc-tests", "alloc");
        let runner = if has_runner {
            Ok(self.program(RUNNER, &[], "alloc", "alloc")?)
        } else {
            none("allocation scenarios")
        };
        let bare_runner = if has_runner && packages.have_feature("alloc-tests", "hooks") {
            Ok(self.program(&[RUNNER, &[BARE]].concat(), &[], "alloc", "alloc-bare")?)
        } else {
            none("allocation scenarios without dhat")
        };
        Ok(Built { server, runner, bare_runner, unaligned })
    }

    fn packages(&self) -> Result<Packages> {
        let mut cargo = self.cargo(&["metadata", "--no-deps", "--locked", "--format-version=1"]);
        let stdout = self.answer(cargo.stderr(Stdio::piped()))?;
        let metadata = serde_json::from_slice(&stdout);
        Ok(Packages(metadata.context("cannot read the packages that cargo metadata prints")?))
    }

    /// The server with aligned functions. If its linker refuses the script, the plain server and the reason.
    fn server(&self) -> Result<(PathBuf, Option<String>)> {
        let plain = self.program(&[&["build"], SERVER].concat(), &[], "ws-server", "ws-server")?;
        // One path for both arms.
        let script = self.folder.with_file_name("functions.ld");
        fs::write(&script, LINKER_SCRIPT).with_context(|| {
            format!("cannot write {}; check the disk with df -h", script.display())
        })?;
        let script = format!("link-arg=-T{}", script.display());
        let link = ["-C", &script];
        match self.program(&[&["rustc"], SERVER].concat(), &link, "ws-server", "ws-server") {
            Ok(aligned) => Ok((aligned, None)),
            Err(error) if plain.is_file() => Ok((plain, Some(format!("{error:#}")))),
            // The disk failed, not the linker.
            Err(error) => Err(error),
        }
    }

    /// Builds `target` and copies its program to `name`, because the next build overwrites it. With arguments for
    /// `rustc` it prints nothing, because the caller expects that it may fail.
    fn program(
        &self,
        command: &[&str],
        rustc: &[&str],
        target: &str,
        name: &str,
    ) -> Result<PathBuf> {
        let mut cargo = self.cargo(command);
        cargo.arg("--message-format=json-render-diagnostics");
        if self.quiet || !rustc.is_empty() {
            cargo.arg("--quiet").stderr(Stdio::piped());
        }
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
        let kept = self.folder.join("bin").join(name);
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
        let build = self.folder.with_file_name("build");
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
        let message = if message.is_empty() { "see above" } else { message.trim_end() };
        let commit = &self.revision.abbreviated;
        let go_there = if self.revision.name == WORKING_TREE {
            String::new()
        } else {
            format!("git worktree add ../{commit} {commit} && cd ../{commit} && ")
        };
        let args: Vec<_> = cargo.get_args().map(|arg| arg.to_string_lossy()).collect();
        let args = args.iter().filter(|arg| !arg.starts_with("--message") && *arg != "--quiet");
        let args: Vec<&str> = args.map(AsRef::as_ref).collect();
        bail!("{} does not build:\n{message}\ntry: {go_there}cargo {}", self.name, args.join(" "))
    }
}

/// The configuration files that cargo reads for a build in `tree`, except those in the tree.
fn configuration(tree: &Path) -> BTreeMap<PathBuf, String> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let above = tree.ancestors().skip(1).map(|folder| folder.join(".cargo"));
    let folders = above.chain(home);
    let files = folders.flat_map(|folder| ["config", "config.toml"].map(|name| folder.join(name)));
    files.filter_map(|file| Some((file.clone(), fs::read_to_string(&file).ok()?))).collect()
}
