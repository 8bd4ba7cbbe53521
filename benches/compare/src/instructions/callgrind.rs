//! The runners of both sides under callgrind, each in surroundings of the same size.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;

use anyhow::{Context, Result, bail, ensure};

use super::profile::{self, Profile};
use crate::cleanup;

/// Why nothing can be counted here, and what to do about it.
#[derive(Debug)]
pub(super) struct NotHere(String);

impl std::fmt::Display for NotHere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotHere {}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Base,
    Head,
}

impl Side {
    pub(super) const BOTH: [Self; 2] = [Self::Base, Self::Head];

    /// Both of the same length: where the stack begins depends on the length of the arguments.
    const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Head => "head",
        }
    }

    fn runner(self) -> String {
        format!("{}/runner", self.name())
    }
}

/// One run of one runner.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) side: Side,
    pub(super) ops: u64,
}

/// All that a runner sees of its environment.
///
/// glibc moves large blocks with `rep movsb` and `rep stosb`, of which callgrind counts an instruction for every byte:
/// clearing a read buffer of 8 KiB would outweigh everything else that is done for a message of 64 bytes.
const ENVIRONMENT: [(&str, &str); 1] = [(
    "GLIBC_TUNABLES",
    "glibc.cpu.x86_rep_movsb_threshold=1000000000:glibc.cpu.x86_rep_stosb_threshold=1000000000",
)];

/// A folder with both runners in it.
#[derive(Debug)]
pub(super) struct Callgrind<'a> {
    valgrind: PathBuf,
    scratch: &'a Path,
}

impl<'a> Callgrind<'a> {
    pub(super) fn new(base: &Path, head: &Path, scratch: &'a Path) -> Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let valgrind = find("valgrind", &path)
            .ok_or_else(|| NotHere("valgrind is not here; install valgrind".to_owned()))?;
        for (side, runner) in [(Side::Base, base), (Side::Head, head)] {
            let place = scratch.join(side.runner());
            fs::create_dir_all(scratch.join(side.name()))
                .and_then(|()| fs::copy(runner, &place))
                .with_context(|| format!("cannot copy {} here", runner.display()))?;
        }
        Ok(Self { valgrind, scratch })
    }

    /// The scenarios of a side that run without a kernel.
    pub(super) fn scenarios(&self, side: Side) -> Result<Vec<String>> {
        let mut command = Command::new(self.scratch.join(side.runner()));
        command.args(["suite", "--list", "--in-memory"]);
        let output = cleanup::output(&mut command).context("cannot run a runner")?;
        if output.status.code() == Some(2) {
            bail!(NotHere(format!(
                "the runner of {} is too old to list its scenarios in memory; compare with a later revision",
                side.name()
            )));
        }
        ensure!(
            output.status.success(),
            "the runner of {} lists nothing: {}",
            side.name(),
            said(&output)
        );
        let ids = String::from_utf8(output.stdout).context("ids are UTF-8")?;
        Ok(ids.lines().map(str::to_owned).collect())
    }

    /// Runs all jobs on all processors; `done` is told of each, in no order. The profiles are in the order of the jobs;
    /// `None` is of a scenario that fails: the server did not do as it should.
    pub(super) fn run_all(
        &self,
        jobs: &[Job],
        mut done: impl FnMut(&Job),
    ) -> Result<Vec<Option<Profile>>> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let next = AtomicUsize::new(0);
        let (sender, results) = mpsc::channel();
        let mut profiles = vec![None; jobs.len()];
        std::thread::scope(|scope| {
            for sender in vec![sender; processors] {
                let next = &next;
                scope.spawn(move || {
                    loop {
                        let at = next.fetch_add(1, Relaxed);
                        let Some(job) = jobs.get(at) else { return };
                        // Nobody listens any more where another job has failed.
                        if sender.send((at, self.run(job, at))).is_err() {
                            return;
                        }
                    }
                });
            }
            for (at, profile) in results {
                profiles[at] = profile?;
                done(&jobs[at]);
            }
            Ok(profiles)
        })
    }

    fn run(&self, job: &Job, at: usize) -> Result<Option<Profile>> {
        let out = format!("callgrind.{at}.out");
        let mut command = Command::new(&self.valgrind);
        command
            .current_dir(self.scratch)
            .env_clear()
            .envs(ENVIRONMENT)
            .args(["--tool=callgrind", "--quiet", "--vgdb=no"])
            .arg(format!("--callgrind-out-file={out}"))
            .args([&job.side.runner(), "run", &job.id, "--ops", &job.ops.to_string()]);
        let output = cleanup::output(&mut command).context("cannot run valgrind")?;
        // The runner's own word that something went wrong; valgrind has others, and signals have none.
        if output.status.code() == Some(1) {
            return Ok(None);
        }
        ensure!(
            output.status.success(),
            "{} of {} fails under callgrind: {}; run it alone: scripts/run-alloc-tests.sh {}",
            job.id,
            job.side.name(),
            said(&output),
            job.id
        );
        let out = self.scratch.join(out);
        let text =
            fs::read(&out).with_context(|| format!("callgrind left no {}", out.display()))?;
        fs::remove_file(&out)?;
        profile::parse(&String::from_utf8_lossy(&text))
            .map(Some)
            .with_context(|| format!("cannot read callgrind's profile of {}", job.id))
    }
}

/// What a program complained of.
fn said(output: &Output) -> String {
    complaint(&String::from_utf8_lossy(&output.stderr))
}

/// The last line; of a program that died under valgrind, of what and where.
fn complaint(words: &str) -> String {
    let Some(death) = words.find("Process terminating with") else {
        let last = words.lines().rfind(|line| !line.trim().is_empty());
        return last.unwrap_or("nothing said").trim().to_owned();
    };
    let mut lines = words[death..].lines();
    let death = lines.next().unwrap_or_default().trim();
    // `==PID==    at 0x459AEA: function (file:line)`
    match lines.find_map(|line| line.split_once(" at 0x")?.1.split_once(": ")) {
        Some((_, place)) => format!("{death}, in {}", place.trim()),
        None => death.to_owned(),
    }
}

fn find(program: &str, path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::complaint;

    #[test]
    fn of_many_words_the_last_line_is_told() {
        assert_eq!(complaint("warning: one\nerror: two\n\n"), "error: two");
        assert_eq!(complaint(""), "nothing said");
    }

    #[test]
    fn a_death_under_valgrind_is_told_with_its_place() {
        let words = "==42== \n\
            ==42== Process terminating with default action of signal 11 (SIGSEGV)\n\
            ==42==  Access not within mapped region at address 0x7F22\n\
            ==42==    at 0x459AEA: server::process::Files::read (process.rs:44)\n\
            ==42==    by 0x459D39: server::hub::publish (hub.rs:61)\n\
            ==42==  The main thread stack size used in this run was 8388608.\n";
        assert_eq!(
            complaint(words),
            "Process terminating with default action of signal 11 (SIGSEGV), in server::process::Files::read \
             (process.rs:44)"
        );
    }
}
