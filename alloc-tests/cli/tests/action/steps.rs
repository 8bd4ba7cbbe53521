//! A composite action, read from its file and run step by step. Every step that runs a command runs with bash, as GitHub
//! does it; of the actions that it uses, the cache is empty, and the upload notes its folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use yaml_rust2::{Yaml, YamlLoader};

use crate::repository::workspace;

type Values = BTreeMap<String, String>;

pub(crate) struct Job {
    steps: Vec<Yaml>,
    /// Values of expressions: `inputs.base`.
    values: Values,
    checkout: PathBuf,
    /// The folder of the runner: `RUNNER_TEMP`.
    temporary: TempDir,
}

pub(crate) struct Ran {
    /// What the steps printed.
    pub(crate) log: String,
    /// The outputs of the step `measure`.
    pub(crate) outputs: Values,
    /// The folder that was uploaded.
    pub(crate) artifact: Option<PathBuf>,
    summary: PathBuf,
}

impl Ran {
    pub(crate) fn summary(&self) -> Result<String> {
        let text = fs::read_to_string(&self.summary)?;
        ensure!(text.len() < 1024 * 1024, "GitHub refuses a summary of {} bytes", text.len());
        Ok(text)
    }
}

impl Job {
    /// The action of this workspace, with the defaults of its inputs, in the repository `checkout`.
    pub(crate) fn of_action(checkout: &Path) -> Result<Self> {
        let text = fs::read_to_string(workspace().join("action.yml"))?;
        let action = YamlLoader::load_from_str(&text)?.pop().context("action.yml is empty")?;
        let inputs = action["inputs"].as_hash().context("it has inputs")?.iter();
        let defaults = inputs.filter_map(|(name, input)| {
            let value = input["default"].as_str()?;
            Some((format!("inputs.{}", name.as_str()?), value.to_owned()))
        });
        let values = defaults.collect();
        let steps = action["runs"]["steps"].as_vec().context("it has steps")?.clone();
        let temporary = tempfile::tempdir()?;
        Ok(Self { steps, values, checkout: checkout.to_owned(), temporary })
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), value.to_owned());
    }

    /// The command that the action built.
    pub(crate) fn command(&self) -> Result<PathBuf> {
        let command = self.temporary.path().join("plimsoll-command/bin/plimsoll");
        ensure!(command.is_file(), "the action built no {}", command.display());
        Ok(command)
    }

    /// Runs every step. After one that failed, only those that run always do.
    pub(crate) fn run(&mut self) -> Result<Ran> {
        let summary = self.temporary.path().join("summary.md");
        let mut ran = Ran { log: String::new(), outputs: Values::new(), artifact: None, summary };
        let mut has_failed = false;
        for step in self.steps.clone() {
            let name = step["name"].as_str().context("every step has a name")?;
            if !self.is_due(&step, has_failed)? {
                continue;
            }
            if let Some(action) = step["uses"].as_str() {
                if action.starts_with("actions/upload-artifact@") {
                    let folder = step["with"]["path"].as_str().context("it has a path")?;
                    ran.artifact = Some(self.replace(folder)?.into());
                } else {
                    ensure!(action.starts_with("actions/cache@"), "unknown action {action}");
                }
                continue;
            }
            let begin = Instant::now();
            let (succeeded, log) = self.bash(&step, &ran.summary)?;
            println!("{name}: {} s", begin.elapsed().as_secs());
            has_failed |= !succeeded;
            ran.log += &format!("== {name}\n{log}");
        }
        let outputs = self.values.iter();
        let measured = outputs.filter_map(|(name, value)| {
            Some((name.strip_prefix("steps.measure.outputs.")?.to_owned(), value.clone()))
        });
        ran.outputs = measured.collect();
        Ok(ran)
    }

    fn is_due(&self, step: &Yaml, has_failed: bool) -> Result<bool> {
        Ok(match step["if"].as_str() {
            None => !has_failed,
            Some("${{ !cancelled() }}") => true,
            Some("steps.cache.outputs.cache-hit != 'true'") => !has_failed,
            Some("inputs.valgrind == 'true'") => {
                !has_failed && self.values["inputs.valgrind"] == "true"
            }
            Some(other) => bail!("this test does not know the condition {other}"),
        })
    }

    fn bash(&mut self, step: &Yaml, summary: &Path) -> Result<(bool, String)> {
        assert_eq!(step["shell"].as_str(), Some("bash"), "a composite step names its shell");
        let script = step["run"].as_str().context("it runs something")?;
        // An expression in a script would let a branch's name run commands.
        ensure!(!script.contains("${{"), "an expression stands in a script:\n{script}");
        let folder =
            step["working-directory"].as_str().map_or(Ok(".".to_owned()), |one| self.replace(one));
        let output = self.temporary.path().join("output");
        fs::write(&output, "")?;
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script]);
        bash.current_dir(self.checkout.join(folder?)).stdin(Stdio::null());
        bash.env("GITHUB_ACTION_PATH", workspace()).env("RUNNER_TEMP", self.temporary.path());
        bash.env("GITHUB_OUTPUT", &output).env("GITHUB_STEP_SUMMARY", summary);
        // Those of the test that runs this are not those of a runner.
        bash.env_remove("CARGO").env_remove("CARGO_MANIFEST_DIR").env_remove("RUSTUP_TOOLCHAIN");
        for (name, value) in step["env"].as_hash().into_iter().flatten() {
            let value = value.as_str().context("a variable is a text")?;
            bash.env(name.as_str().context("a name is a text")?, self.replace(value)?);
        }
        let run = bash.output()?;
        let id = step["id"].as_str().unwrap_or_default();
        for line in fs::read_to_string(&output)?.lines() {
            let (name, value) = line.split_once('=').context("an output is name=value")?;
            self.set(&format!("steps.{id}.outputs.{name}"), value);
        }
        let log = String::from_utf8_lossy(&[run.stdout, run.stderr].concat()).into_owned();
        Ok((run.status.success(), log))
    }

    /// `text` with the values of its expressions.
    fn replace(&self, text: &str) -> Result<String> {
        let Some((before, rest)) = text.split_once("${{") else { return Ok(text.to_owned()) };
        let (expression, after) = rest.split_once("}}").context("an expression has an end")?;
        let value = self.values.get(expression.trim());
        let value = value.with_context(|| format!("no value is known for {expression}"))?;
        Ok(format!("{before}{}{}", self.replace(value)?, self.replace(after)?))
    }
}
