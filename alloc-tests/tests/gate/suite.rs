//! The suite as a process, with its own baselines.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use tempfile::TempDir;

use super::ID;

/// A folder of baselines for runs of this program.
pub(crate) struct Suite {
    root: TempDir,
}

/// The exit code and the output of a run.
pub(crate) struct Finished {
    code: Option<i32>,
    pub(crate) stdout: String,
    stderr: String,
}

impl Suite {
    pub(crate) fn empty() -> Result<Self, Failed> {
        Ok(Self { root: TempDir::new()? })
    }

    /// With the numbers of [`ID`].
    pub(crate) fn recorded() -> Result<Self, Failed> {
        let suite = Self::empty()?;
        suite.run(&[ID, "--update", "--reason", "a test"])?.check(0, &["1 added"])?;
        Ok(suite)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Finished, Failed> {
        Ok(Finished::from(self.command(arguments)?.output()?))
    }

    pub(crate) fn run_with(
        &self,
        arguments: &[&str],
        name: &str,
        value: &str,
    ) -> Result<Finished, Failed> {
        Ok(Finished::from(self.command(arguments)?.env(name, value).output()?))
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Result<Child, Failed> {
        Ok(self.command(arguments)?.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?)
    }

    /// The runner as cargo starts it, with one scenario and a variable of the environment.
    pub(crate) fn cargo_test(name: &str, value: &str) -> Result<Finished, Failed> {
        let mut command = Command::new(std::env::current_exe()?);
        Ok(Finished::from(command.args(["--exact", ID]).env(name, value).output()?))
    }

    /// Closes the pipe of the report before it is written.
    pub(crate) fn check_with_closed_pipe(
        &self,
        arguments: &[&str],
        code: i32,
    ) -> Result<(), Failed> {
        let mut child = self.start(arguments)?;
        drop(child.stdout.take());
        Finished::from(child.wait_with_output()?).check(code, &[])
    }

    /// Starts the suite and stops it with SIGTERM while scenarios run. Background processes ignore SIGINT.
    pub(crate) fn interrupt(&self, arguments: &[&str]) -> Result<(), Failed> {
        let child = self.start(arguments)?;
        let pid = i32::try_from(child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .ok_or("no such process")?;
        // With more than one thread, the workers have started.
        let threads = format!("/proc/{}/task", child.id());
        let start = Instant::now();
        while std::fs::read_dir(&threads)?.count() < 2 {
            if start.elapsed() > Duration::from_secs(10) {
                return Err("the suite did not start its workers".into());
            }
            std::thread::yield_now();
        }
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let output = child.wait_with_output()?;
        if output.status.success() { Err("it was not interrupted".into()) } else { Ok(()) }
    }

    pub(crate) fn edit(&self, change: impl Fn(&str) -> String) -> Result<(), Failed> {
        let path = self.file();
        let text = std::fs::read_to_string(&path)?;
        let changed = change(&text);
        if changed == text {
            return Err(format!("the edit changes nothing in {text}").into());
        }
        Ok(std::fs::write(path, changed)?)
    }

    /// Every file with its text.
    pub(crate) fn files(&self) -> Result<BTreeMap<PathBuf, String>, Failed> {
        let mut files = BTreeMap::new();
        for folder in [self.root.path().join("alloc"), self.root.path().join("alloc/sites")] {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_file() {
                    files.insert(path.clone(), std::fs::read_to_string(path)?);
                }
            }
        }
        Ok(files)
    }

    fn file(&self) -> PathBuf {
        baselines::alloc::path(self.root.path(), plimsoll::TARGET)
    }

    fn command(&self, arguments: &[&str]) -> Result<Command, Failed> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("suite").args(arguments).arg("--baselines").arg(self.root.path());
        Ok(command)
    }
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Finished {
    /// Checks the exit code, and that stdout or stderr contains each of `words`.
    pub(crate) fn check(&self, code: i32, words: &[&str]) -> Result<(), Failed> {
        let Self { stdout, stderr, .. } = self;
        let missing: Vec<_> = words
            .iter()
            .filter(|word| !stdout.contains(**word) && !stderr.contains(**word))
            .collect();
        if self.code == Some(code) && missing.is_empty() {
            return Ok(());
        }
        Err(format!(
            "exit {:?} instead of {code}, without {missing:?}\n{stdout}\n{stderr}",
            self.code
        )
        .into())
    }
}
