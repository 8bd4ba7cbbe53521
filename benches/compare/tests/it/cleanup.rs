//! Child processes and folders end with the process that holds them.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;

use compare::cleanup::{Child, Guard, ignored_signals, install, output, spawn};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

/// Far longer than anything here takes.
const TIMEOUT: Timespec = Timespec { tv_sec: 30, tv_nsec: 0 };

/// Names the folder of a [`victim`].
const VICTIM: &str = "PLIMSOLL_TEST_VICTIM";

/// A shell that starts a process in the background, prints the ids of both on a line of their own, and stays. Both hold
/// its stdout.
fn shell_with_a_child() -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"sleep 1000 & printf '\n%s %s\n' $$ $!; wait"#]).stdin(Stdio::null());
    shell
}

/// The first line of two words.
fn ids(stdout: &mut BufReader<ChildStdout>) -> Vec<String> {
    let lines = stdout.lines().map(|line| line.expect("the shell prints text"));
    let mut words = lines.map(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>());
    words.find(|words| words.len() == 2).expect("the shell prints two ids")
}

/// Waits for the end of a pipe, which comes when every process that held its other end has ended.
#[track_caller]
fn all_ended(stdout: BufReader<ChildStdout>) {
    let mut stdout = stdout.into_inner();
    let mut events = [PollFd::new(&stdout, PollFlags::IN)];
    let ready = poll(&mut events, Some(&TIMEOUT)).expect("a pipe can be polled");
    assert_eq!(ready, 1, "a process still holds the pipe");
    assert_eq!(stdout.read(&mut [0]).expect("a pipe can be read"), 0, "the pipe has not ended");
}

fn stdout_of(child: &mut Child) -> BufReader<ChildStdout> {
    BufReader::new(child.take_stdout().expect("it is a pipe"))
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed()).expect("ids are positive")
}

#[test]
fn dropping_a_child_kills_its_group() {
    let mut child = spawn(shell_with_a_child().stdout(Stdio::piped())).expect("there is a shell");
    let mut stdout = stdout_of(&mut child);
    assert_eq!(ids(&mut stdout)[0], child.id().to_string());
    drop(child);
    all_ended(stdout);
}

#[test]
fn a_background_process_ends_with_the_child_that_started_it() {
    let mut shell = Command::new("sh");
    shell.args(["-c", "sleep 1000 & exit 7"]).stdout(Stdio::piped());
    let mut child = spawn(&mut shell).expect("there is a shell");
    let stdout = stdout_of(&mut child);
    assert_eq!(child.wait().expect("it is ours").code(), Some(7));
    assert_eq!(child.wait().expect("it can be asked again").code(), Some(7));
    all_ended(stdout);
}

#[test]
fn try_wait_returns_a_status_only_after_the_end() {
    let mut child = spawn(Command::new("sleep").arg("1000")).expect("there is sleep");
    assert_eq!(child.try_wait().expect("it is ours"), None);
    kill_process(pid(&child), Signal::TERM).expect("it runs");
    let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(pid(&child)), ended).expect("it is ours");
    let status = child.try_wait().expect("it is ours").expect("it has ended");
    assert_eq!(status.to_string(), "signal: 15 (SIGTERM)");
    assert_eq!(child.kill().expect("it may be killed twice"), status);
}

#[test]
fn output_reads_both_pipes_to_their_ends() {
    let script =
        "i=0; while [ $i -lt 20000 ]; do echo outoutout; echo errerrerr >&2; i=$((i+1)); done";
    let output = output(Command::new("sh").args(["-c", script])).expect("there is a shell");
    assert!(output.status.success());
    assert_eq!((output.stdout.len(), output.stderr.len()), (200_000, 200_000));
}

#[test]
fn a_guard_acts_once_and_may_hold_another() {
    let (sender, receiver) = mpsc::channel();
    let inner_sender = sender.clone();
    let inner = Guard::new(move || inner_sender.send("inner").expect("it is received"));
    let outer = Guard::new(move || {
        sender.send("outer").expect("it is received");
        drop(inner);
    });
    drop(outer);
    assert_eq!(receiver.iter().collect::<Vec<_>>(), ["outer", "inner"]);
}

/// The process that the tests below send signals to. It holds a folder and a child, which inherits its stdout.
#[test]
#[ignore = "a process, started by the tests"]
fn victim() {
    let folder = PathBuf::from(std::env::var_os(VICTIM).expect("the test sets it"));
    install().expect("signals can be caught");
    let held = folder.join("held");
    fs::create_dir(&held).expect("the folder is new");
    let guard = Guard::new(move || fs::remove_dir(held).expect("it is there"));
    let mut child = spawn(&mut shell_with_a_child()).expect("there is a shell");
    child.wait().expect("it is ours");
    drop(guard);
    unreachable!("the signal ends this process before its child");
}

/// Sends `signal` to a victim, waits until its children have ended too, and returns its status.
fn end_with(signal: Signal, folder: &Path) -> ExitStatus {
    let mut victim = Command::new(std::env::current_exe().expect("this program is a file"));
    victim.args(["--ignored", "--exact", "cleanup::victim"]).env(VICTIM, folder);
    let mut victim =
        spawn(victim.stdout(Stdio::piped()).stderr(Stdio::null())).expect("this program runs");
    let mut stdout = stdout_of(&mut victim);
    ids(&mut stdout);
    assert!(folder.join("held").exists());
    kill_process(pid(&victim), signal).expect("it runs");
    // Before the wait, which would kill the rest of the group.
    all_ended(stdout);
    victim.wait().expect("it is ours")
}

#[test]
fn a_signal_ends_the_children_then_the_guards_then_the_process() {
    // A victim of a test under nohup ignores the signal too.
    let ignored = ignored_signals().expect("/proc can be read");
    for (signal, code) in [(Signal::HUP, 129), (Signal::INT, 130), (Signal::TERM, 143)] {
        if ignored.contains(&signal.as_raw()) {
            continue;
        }
        let folder = tempfile::tempdir().expect("there is room");
        assert_eq!(end_with(signal, folder.path()).code(), Some(code));
        assert!(!folder.path().join("held").exists());
    }
}

#[test]
fn no_child_outlives_a_process_that_is_killed() {
    let folder = tempfile::tempdir().expect("there is room");
    let status = end_with(Signal::KILL, folder.path());
    assert_eq!(status.to_string(), "signal: 9 (SIGKILL)");
}
