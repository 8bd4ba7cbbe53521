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
use super::packages::Packages;
use super::programs::{Built, Inputs, Kept};
use crate::cleanup::{self, Child};
use crate::layout::LINKER_SCRIPT;

const SERVER: &[&str] = &["--release", "--locked", "--package", "server", "--bin", "ws-server"];

const RUNNER: &[&str] =
    &["test", "--release", "--locked", "--package", "alloc-tests", "--test", "alloc", "--no-run"];

/// Added to [`RUNNER`] for a runner without dhat.
const BARE: &str = "--no-default-features";

/// One codegen unit, because the split into units decides where functions lie.
const ENVIRONMENT: [(&str, &str); 2] =
    [("CARGO_INCREMENTAL", "0"), ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")];

/// Builds the programs of `revision`, whose files are in `tree`, below `folder`, unless they were built before. Without
/// `say`, cargo shows its progress on stderr.
pub(super) fn build(
    tree: &Path,
    folder: &Path,
    arm: &str,
    revision: &Revision,
    say: Option<&dyn Fn(&str)>,
) -> Result<Built> {
    let name = format!("{arm} ({revision})");
    let commands = [SERVER.join(" "), RUNNER.join(" "), LINKER_SCRIPT.to_owned()];
    let inputs = Inputs::of(tree, &revision.tree, commands, &ENVIRONMENT)
        .with_context(|| format!("cannot build {name}"))?;
    let kept = Kept::of(folder, inputs);
    if let Some(built) = kept.find() {
        built.note(&name);
        return Ok(built);
    }
    if let Some(say) = say {
        say(&format!("building {name}"));
    }
    let programs = kept.begin()?;
    let built = Build { tree, folder, programs, revision, name, quiet: say.is_some() }.run()?;
    kept.finish(&built)?;
    Ok(built)
}

struct Build<'a> {
    tree: &'a Path,
    /// The folder that both arms are built in.
    folder: &'a Path,
    programs: PathBuf,
    revision: &'a Revision,
    /// The arm's name in errors: `base (main, 49d2e13)`.
    name: String,
    quiet: bool,
}

impl Build<'_> {
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
        let built = Built { server, runner, bare_runner, unaligned };
        built.note(&self.name);
        Ok(built)
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
        let script = self.folder.join("functions.ld");
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
