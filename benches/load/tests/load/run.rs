//! A run of `ws-load` and its report.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use load_plan::outcome::{Ending, Fault};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// The tool under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_ws-load");

/// Time after which a run is taken to hang and is killed; far longer than any of these tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Prints why a test is skipped, past the capture of output, which is not shown if a test passes.
pub(crate) fn not_run(why: &str) {
    writeln!(std::io::stderr(), "not run: {why}").expect("stderr is open");
}

/// Runs `ws-load` with these arguments: its exit code, and what it said.
pub(crate) fn ws_load(words: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } =
        Command::new(PROGRAM).args(words).output().expect("ws-load starts");
    (status.code(), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

/// A `ws-load` that is not started yet.
#[derive(Debug)]
pub(crate) struct Load {
    command: Command,
    folder: TempDir,
}

impl Load {
    /// `ws-load run PROFILE URL --out FOLDER`.
    pub(crate) fn new(profile: impl Display, url: &str) -> Self {
        Self::of_its_own(profile).args([url])
    }

    /// `WRAPPER… ws-load run PROFILE URL --out OUT`.
    pub(crate) fn within(wrapper: &[&str], profile: impl Display, url: &str, out: &str) -> Self {
        let (command, folder) = bare(wrapper, profile);
        Self { command, folder }.args([url, "--out", out])
    }

    /// `ws-load run PROFILE --out FOLDER`, which starts a server of its own.
    pub(crate) fn of_its_own(profile: impl Display) -> Self {
        let (command, folder) = bare(&[], profile);
        let out = folder.path().join("out");
        Self { command, folder }.args(["--out".as_ref(), out.as_os_str()])
    }

    /// `ws-load merge DIR… --out FOLDER`.
    pub(crate) fn merge(reports: &[&Outcome]) -> Self {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let out = folder.path().join("out");
        let mut command = Command::new(PROGRAM);
        command.arg("merge").args(reports.iter().map(|report| report.out()));
        command.arg("--out").arg(out);
        Self { command, folder }
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Writes a file for the run to read.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let file = self.folder.path().join(name);
        fs::write(&file, content).expect("the folder is ours");
        file
    }

    pub(crate) fn start(mut self) -> Running {
        let file = |name| File::create(self.folder.path().join(name)).expect("the folder is ours");
        self.command.stdout(file("stdout")).stderr(file("stderr"));
        let child = self.command.spawn().expect("ws-load starts");
        Running { child: Killed(child), folder: self.folder }
    }

    pub(crate) fn run(self) -> Outcome {
        self.start().finish()
    }
}

fn bare(wrapper: &[&str], profile: impl Display) -> (Command, TempDir) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let file = folder.path().join("test.toml");
    fs::write(&file, profile.to_string()).expect("the folder is ours");
    let words = [wrapper, &[PROGRAM]].concat();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg("run").arg(file);
    (command, folder)
}

/// A process that is killed at the end of its test.
#[derive(Debug)]
pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // Both fail for a process that has ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A `ws-load` that is running.
#[derive(Debug)]
pub(crate) struct Running {
    child: Killed,
    folder: TempDir,
}

impl Running {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child.0)
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.0.try_wait().expect("it is ours").is_some()
    }

    /// Its stderr so far.
    pub(crate) fn stderr(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).expect("it was created")
    }

    /// Waits for what `look` finds, while the run goes on.
    #[track_caller]
    pub(crate) fn wait_until<T>(&mut self, look: impl Fn(&Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(start.elapsed() < PATIENCE && !self.has_ended(), "{}", self.stderr());
            thread::yield_now();
        }
    }

    pub(crate) fn finish(mut self) -> Outcome {
        let pid = self.pid();
        let (ended, still) = mpsc::channel::<()>();
        let watch = thread::spawn(move || {
            if still.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let _ = kill_process(pid, Signal::KILL);
            }
        });
        let status = self.child.0.wait().expect("it is ours");
        drop(ended);
        watch.join().expect("it does not panic");
        let read = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        let stderr = read("stderr");
        let text = format!("{status}\n{}{stderr}", read("stdout"));
        let report = fs::read(self.folder.path().join("out/report.json")).ok();
        let report = report.map(|bytes| serde_json::from_slice(&bytes).expect("it is JSON"));
        Outcome { code: status.code(), text, stderr, report, folder: self.folder }
    }
}

/// The end of a run, and its report.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    /// Status, stdout and stderr.
    pub(crate) text: String,
    pub(crate) stderr: String,
    report: Option<Value>,
    folder: TempDir,
}

impl Outcome {
    /// The folder of the report.
    pub(crate) fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    #[track_caller]
    pub(crate) fn report(&self) -> &Value {
        self.report.as_ref().unwrap_or_else(|| panic!("no report: {}", self.text))
    }

    /// Whether there is a report.
    pub(crate) fn has_report(&self) -> bool {
        self.report.is_some()
    }

    /// The number at a JSON pointer below `/overall`; 0 if it is missing or null.
    #[track_caller]
    pub(crate) fn number(&self, pointer: &str) -> u64 {
        let value = self.report().pointer(&format!("/overall/{pointer}"));
        let known = value.filter(|value| !value.is_null());
        known.map_or(0, |value| value.as_u64().expect("a whole number"))
    }

    /// A count of the whole run, summed over its intervals.
    #[track_caller]
    pub(crate) fn count(&self, name: &str) -> u64 {
        let intervals = self.report()["intervals"].as_array().expect("a list").iter();
        let count = |interval: &Value| {
            let count = interval.pointer(&format!("/counts/{name}"));
            count.map_or(0, |count| count.as_u64().expect("a count"))
        };
        intervals.map(count).sum()
    }

    #[track_caller]
    pub(crate) fn fault(&self, name: &str) -> u64 {
        self.count(&format!("faults/{name}"))
    }

    /// Faults that happened.
    #[track_caller]
    pub(crate) fn faults(&self) -> BTreeMap<&'static str, u64> {
        let counts = Fault::ALL.map(|fault| (fault.name(), self.fault(fault.name())));
        counts.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    /// Endings that happened.
    #[track_caller]
    pub(crate) fn endings(&self) -> BTreeMap<&'static str, u64> {
        let count = |ending: Ending| self.count(&format!("endings/{}", ending.name()));
        let counts = Ending::ALL.map(|ending| (ending.name(), count(ending)));
        counts.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    /// Checks what holds for every run: each connection has ended in one way; each message was answered or lost, unless it
    /// is one of a subscription; and the errors of all intervals are those of the whole.
    #[track_caller]
    pub(crate) fn adds_up(&self) {
        let text = &self.text;
        assert_eq!(self.endings().values().sum::<u64>(), self.count("attempted"), "{text}");
        if self.report()["profile"]["target"]["mode"].pointer("/subscribe").is_none() {
            let more = self.fault("duplicated") + self.fault("unexpected");
            let answered = self.count("received") - more;
            assert_eq!(answered + self.fault("lost"), self.count("sent"), "{text}");
        }
        for (name, count) in self.faults() {
            assert_eq!(self.number(&format!("counts/faults/{name}")), count, "{name}");
        }
        for (name, count) in self.endings() {
            assert_eq!(self.number(&format!("counts/endings/{name}")), count, "{name}");
        }
        assert_eq!(self.number("counts/attempted"), self.count("attempted"));
    }

    /// Whether `words` were printed, whatever their case and their breaks into lines.
    pub(crate) fn says(&self, words: &str) -> bool {
        let printed: Vec<_> = self.text.split_whitespace().collect();
        printed.join(" ").to_lowercase().contains(&words.to_lowercase())
    }

    /// Checks the exit code, the verdict that belongs to it, and words that were printed.
    #[track_caller]
    pub(crate) fn check(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}", self.text);
        for words in words {
            assert!(self.says(words), "no {words:?} in: {}", self.text);
        }
        let verdicts: &[&str] = match code {
            0 => &["pass"],
            3 => &["fail"],
            6 => &["invalid", "incomplete"],
            130 => &["interrupted"],
            _ => return,
        };
        let verdict = self.report()["verdict"].as_str().expect("a word");
        assert!(verdicts.contains(&verdict), "{verdict} with {code}: {}", self.text);
    }

    /// Whether any file of the report, or anything that was printed, contains `secret`.
    pub(crate) fn reveals(&self, secret: &str) -> bool {
        self.text.contains(secret) || any_file_contains(&self.out(), secret.as_bytes())
    }
}

fn any_file_contains(folder: &Path, secret: &[u8]) -> bool {
    let files = fs::read_dir(folder).expect("the report's folder");
    files
        .map(|file| fs::read(file.expect("it can be listed").path()).expect("it can be read"))
        .any(|bytes| bytes.windows(secret.len()).any(|window| window == secret))
}
