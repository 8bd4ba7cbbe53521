//! The runners of base and head under callgrind, with arguments and environments of equal size.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc;

use anyhow::{Context, Result, bail, ensure};

use super::listed::{Listed, Threads};
use super::profile::{self, Profile};
use crate::cleanup;

/// The reason why instructions cannot be counted here, and the next step.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unavailable(String);

impl Unavailable {
    pub(super) fn because(why: String) -> Self {
        Self(why)
    }
}

/// The runner of base or of head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runner {
    Base,
    Head,
}

impl Runner {
    pub(super) const BOTH: [Self; 2] = [Self::Base, Self::Head];

    /// Names of equal length, because the arguments move the start of the stack.
    const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Head => "head",
        }
    }

    fn path(self) -> String {
        format!("{}/runner", self.name())
    }
}

/// One run of one runner.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) threads: Threads,
    pub(super) runner: Runner,
    pub(super) ops: u64,
}

/// The whole environment of a runner.
///
/// glibc moves large blocks with `rep movsb` and `rep stosb`, which callgrind counts as an instruction per byte. Clearing
/// a read buffer of 8 KiB would then outweigh everything else done for a message of 64 bytes.
const ENVIRONMENT: [(&str, &str); 1] = [(
    "GLIBC_TUNABLES",
    "glibc.cpu.x86_rep_movsb_threshold=1000000000:glibc.cpu.x86_rep_stosb_threshold=1000000000",
)];

/// A folder with both runners.
#[derive(Debug)]
pub(super) struct Callgrind<'a> {
    valgrind: PathBuf,
    scratch: &'a Path,
    /// What a person types to run the suite.
    command: &'a str,
}

impl<'a> Callgrind<'a> {
    pub(super) fn new(
        base: &Path,
        head: &Path,
        scratch: &'a Path,
        command: &'a str,
    ) -> Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let valgrind = find("valgrind", &path)
            .ok_or_else(|| Unavailable("valgrind is not installed; install valgrind".to_owned()))?;
        for (runner, program) in [(Runner::Base, base), (Runner::Head, head)] {
            let place = scratch.join(runner.path());
            fs::create_dir_all(scratch.join(runner.name()))
                .and_then(|()| fs::copy(program, &place))
                .with_context(|| {
                    format!("cannot copy {} to {}", program.display(), place.display())
                })?;
        }
        Ok(Self { valgrind, scratch, command })
    }

    /// The scenarios of a runner that execute the same instructions in every run.
    pub(super) fn scenarios(&self, runner: Runner) -> Result<BTreeMap<String, Listed>> {
        let mut command = Command::new(self.scratch.join(runner.path()));
        command.args(["suite", "--list", "--repeatable"]);
        let output = cleanup::output(&mut command)
            .with_context(|| format!("cannot start the runner of {}", runner.name()))?;
        // A head that cannot list what base can has lost it.
        if runner == Runner::Base && output.status.code() == Some(2) {
            bail!(Unavailable(
                "the runner of base is too old to list its repeatable scenarios; compare with a later revision"
                    .to_owned()
            ));
        }
        ensure!(
            output.status.success(),
            "the runner of {} cannot list its scenarios: {}",
            runner.name(),
            message_of(&output)
        );
        let ids = String::from_utf8(output.stdout).context("the ids are not UTF-8")?;
        let lines = ids.lines().map(|line| {
            Listed::parse(line).with_context(|| format!("{} lists {line:?}", runner.name()))
        });
        lines.collect()
    }

    /// Runs all jobs on all processors. `done` is told each job, in no order. The profiles are in the order of the jobs;
    /// `None` if the scenario failed because of the server.
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
                        // The receiver is gone after another job failed.
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
            .args(["--tool=callgrind", "--quiet", "--vgdb=no", "--separate-threads=yes"])
            // Threads get the processor in the order in which they ask for it.
            .arg("--fair-sched=try")
            .arg(format!("--callgrind-out-file={out}"))
            .args([&job.runner.path(), "run", &job.id, "--ops", &job.ops.to_string()]);
        let output = cleanup::output(&mut command).context("cannot run valgrind")?;
        // The runner's own code for a failed scenario. Valgrind uses others, and signals have none.
        if output.status.code() == Some(1) {
            return Ok(None);
        }
        ensure!(
            output.status.success(),
            "{} of {} fails under callgrind: {}; try it alone: {} {}",
            job.id,
            job.runner.name(),
            message_of(&output),
            self.command,
            job.id
        );
        let profile = self.read(&out, job.threads);
        profile.map(Some).with_context(|| format!("cannot read callgrind's profile of {}", job.id))
    }

    /// Adds up the profiles of the threads, each in a file of its own behind an empty `out`.
    fn read(&self, out: &str, threads: Threads) -> Result<Profile> {
        fs::remove_file(self.scratch.join(out)).context("callgrind wrote nothing")?;
        let mut all = Profile::new();
        for thread in 1.. {
            let file = self.scratch.join(format!("{out}-{thread:02}"));
            let text = match fs::read(&file) {
                Err(error) if error.kind() == ErrorKind::NotFound => break,
                read => read?,
            };
            fs::remove_file(&file)?;
            if thread == 1 && threads == Threads::AllButTheClient {
                continue;
            }
            for (place, own) in profile::parse(&String::from_utf8_lossy(&text))? {
                *all.entry(place).or_default() += own;
            }
        }
        Ok(all)
    }
}

/// The error message of a program.
fn message_of(output: &Output) -> String {
    last_message(&String::from_utf8_lossy(&output.stderr))
}

/// The last line, or for a program that died under valgrind the signal and the place.
fn last_message(words: &str) -> String {
    let Some(death) = words.find("Process terminating with") else {
        let last = words.lines().rfind(|line| !line.trim().is_empty());
        return last.unwrap_or("no message").trim().to_owned();
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
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_head_that_no_longer_lists_its_scenarios_is_an_error_and_such_a_base_is_too_old() {
        let scratch = tempfile::tempdir().expect("there is room");
        let callgrind =
            Callgrind { valgrind: "valgrind".into(), scratch: scratch.path(), command: "" };
        let refused = |runner: Runner| {
            let program = scratch.path().join(runner.path());
            fs::create_dir_all(program.with_file_name("")).expect("there is room");
            fs::write(&program, "#!/bin/sh\necho unexpected argument >&2; exit 2\n").expect("so");
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
            callgrind.scenarios(runner).expect_err("it cannot list them")
        };
        assert!(refused(Runner::Base).is::<Unavailable>());
        let error = refused(Runner::Head);
        assert!(!error.is::<Unavailable>());
        assert!(error.to_string().ends_with("scenarios: unexpected argument"), "{error}");
    }

    #[test]
    fn an_error_message_is_the_last_line_of_stderr() {
        assert_eq!(last_message("warning: one\nerror: two\n\n"), "error: two");
        assert_eq!(last_message(""), "no message");
    }

    #[test]
    fn a_death_under_valgrind_has_its_signal_and_place() {
        let words = "==42== \n\
            ==42== Process terminating with default action of signal 11 (SIGSEGV)\n\
            ==42==  Access not within mapped region at address 0x7F22\n\
            ==42==    at 0x459AEA: server::process::Files::read (process.rs:44)\n\
            ==42==    by 0x459D39: server::hub::publish (hub.rs:61)\n\
            ==42==  The main thread stack size used in this run was 8388608.\n";
        assert_eq!(
            last_message(words),
            "Process terminating with default action of signal 11 (SIGSEGV), in server::process::Files::read \
             (process.rs:44)"
        );
    }
}
