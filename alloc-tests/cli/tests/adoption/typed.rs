//! A folder in which commands are typed, with the command of this tree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::guide;

/// The folders of a check. All of them go with it.
pub(crate) struct Machine {
    folder: TempDir,
    steps: Vec<(String, Duration)>,
}

/// The root of this tree.
fn tree() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("it is below the root")
}

/// The folder that this tree is built in, where the command is built already.
fn target() -> Result<PathBuf> {
    let program = Path::new(env!("CARGO_BIN_EXE_plimsoll"));
    program.ancestors().nth(2).map(Path::to_owned).context("a program is in target/debug")
}

impl Machine {
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("an adopter ").tempdir()?;
        Ok(Self { folder, steps: Vec::new() })
    }

    /// A folder with a space in its path, with `files`.
    pub(crate) fn repository(&self, name: &str, files: &[(&str, &str)]) -> Result<PathBuf> {
        let root = self.folder.path().join(name);
        fs::create_dir_all(&root)?;
        // One folder for all, so that dependencies are built once.
        let target = self.folder.path().join("target");
        fs::create_dir_all(&target)?;
        std::os::unix::fs::symlink(&target, root.join("target"))?;
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
            fs::write(path, text)?;
        }
        Ok(root)
    }

    /// Types `line` in `folder` and shows what it prints; all of it, if it ends with `code`.
    pub(crate) fn type_in(&mut self, folder: &Path, line: &str, code: i32) -> Result<String> {
        println!("\n$ {line}");
        let (line, began) = (self.of_tree(line)?, Instant::now());
        let mut bash = Command::new("bash");
        // As in a pipe of the shell: both in the order in which they are printed.
        bash.args(["-c", &format!("{{ {line}\n}} 2>&1")]).current_dir(folder).stdin(Stdio::null());
        let path = std::env::var("PATH").context("there is no PATH")?;
        bash.env("PATH", format!("{}:{path}", self.folder.path().join("installed/bin").display()));
        bash.env("CARGO_TARGET_DIR", self.folder.path().join("target"));
        for (name, value) in [("NAME", "adopter"), ("EMAIL", "adopter@localhost")] {
            bash.env(format!("GIT_AUTHOR_{name}"), value);
            bash.env(format!("GIT_COMMITTER_{name}"), value);
        }
        // Of the cargo that runs this test.
        for variable in ["CARGO", "RUSTUP_TOOLCHAIN", "CARGO_MANIFEST_DIR"] {
            bash.env_remove(variable);
        }
        let output = bash.stderr(Stdio::inherit()).output().context("there is no bash")?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let took = began.elapsed();
        print!("{text}");
        println!("({:.0} s)", took.as_secs_f64());
        self.steps.push((line.lines().next().unwrap_or_default().to_owned(), took));
        ensure!(
            output.status.code() == Some(code),
            "it ended with {} instead of {code}",
            output.status
        );
        Ok(text)
    }

    /// Types all commands of a section, and demands what the guide says of them.
    pub(crate) fn type_section(&mut self, folder: &Path, section: &guide::Section) -> Result<()> {
        println!("\n## {}", section.title);
        for command in &section.commands {
            self.type_command(folder, command)?;
        }
        Ok(())
    }

    /// Types one command with the answers that the guide shows, and demands the lines below it.
    pub(crate) fn type_command(
        &mut self,
        folder: &Path,
        command: &guide::Command,
    ) -> Result<String> {
        let answers = command.answers();
        let line = if answers.is_empty() {
            command.line.clone()
        } else {
            format!("printf '%s\\n' '{}' | {}", answers.join("' '"), command.line)
        };
        let printed = self.type_in(folder, &line, command.code)?;
        guide::check(&command.shown, &printed).with_context(|| command.line.clone())?;
        Ok(printed)
    }

    /// `line` with this tree instead of a published version.
    fn of_tree(&self, line: &str) -> Result<String> {
        let tree = tree().display();
        if line.starts_with("cargo install") {
            let root = self.folder.path().join("installed");
            return Ok(format!(
                "cargo install --quiet --debug --locked --path '{tree}/alloc-tests/cli' --root '{}' --target-dir '{}'",
                root.display(),
                target()?.display()
            ));
        }
        if let Some(flags) = line.strip_prefix("cargo plimsoll init") {
            return Ok(format!("cargo plimsoll init --plimsoll-path '{tree}'{flags}"));
        }
        if line.contains("cd ") {
            bail!("{line}: each line is typed in the repository's root");
        }
        Ok(line.to_owned())
    }

    /// Frees the disk: what is built and not needed any more.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        let folder = self.folder.path().join(name);
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))
    }

    /// What each step took, and all of them.
    pub(crate) fn print_steps(&self) {
        println!("\nseconds  step");
        for (line, took) in &self.steps {
            println!("{:7.0}  {line}", took.as_secs_f64());
        }
        let all: Duration = self.steps.iter().map(|(_, took)| *took).sum();
        println!("{:7.0}  in all", all.as_secs_f64());
    }
}
