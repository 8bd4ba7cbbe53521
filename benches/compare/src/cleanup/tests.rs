use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::*;

/// Far longer than any of it takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Names the folder in which this test program is to be a victim of a signal.
const VICTIM: &str = "PLIMSOLL_TEST_VICTIM";

/// A shell that starts a process in the background, prints both their ids, and stays.
fn shell_with_a_child() -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "sleep 1000 & echo $$ $!; wait"]);
    shell.stdin(Stdio::null()).stdout(Stdio::piped());
    shell
}

fn ids(stdout: impl Read) -> Vec<String> {
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).expect("the shell writes");
    line.split_whitespace().map(str::to_owned).collect()
}

/// An orphan that nobody has reaped yet is gone, too.
fn is_gone(id: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"));
    stat.is_err() || stat.is_ok_and(|stat| stat.contains(") Z "))
}

#[track_caller]
fn soon(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < PATIENCE, "it does not come about");
        thread::yield_now();
    }
}

#[track_caller]
fn all_gone(ids: &[String]) {
    assert_eq!(ids.len(), 2);
    soon(|| ids.iter().all(|id| is_gone(id)));
}

#[test]
fn dropping_a_child_kills_what_it_started() {
    let mut child = spawn(&mut shell_with_a_child()).expect("there is a shell");
    let ids = ids(child.take_stdout().expect("it is a pipe"));
    assert_eq!(ids[0], child.id().to_string());
    drop(child);
    all_gone(&ids);
}

#[test]
fn what_a_child_leaves_in_the_background_ends_with_it() {
    let mut shell = Command::new("sh");
    let mut child = spawn(
        shell.args(["-c", "sleep 1000 >/dev/null & echo $$ $!; exit 7"]).stdout(Stdio::piped()),
    )
    .expect("there is a shell");
    let ids = ids(child.take_stdout().expect("it is a pipe"));
    assert_eq!(child.wait().expect("it is ours").code(), Some(7));
    assert_eq!(child.wait().expect("it can be asked again").code(), Some(7));
    all_gone(&ids);
}

#[test]
fn a_child_that_runs_has_not_ended_and_one_that_was_killed_has() {
    let mut child = spawn(Command::new("sleep").arg("1000")).expect("there is sleep");
    assert_eq!(child.try_wait().expect("it is ours"), None);
    kill_process(child.group, Signal::TERM).expect("it runs");
    soon(|| child_state(child.group) == 'Z');
    let status = child.try_wait().expect("it is ours").expect("it has ended");
    assert_eq!(status.to_string(), "signal: 15 (SIGTERM)");
    assert_eq!(child.kill().expect("it may be killed twice"), status);
}

fn child_state(child: Pid) -> char {
    let stat =
        fs::read_to_string(format!("/proc/{}/stat", child.as_raw_nonzero())).expect("not reaped");
    stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).expect("proc(5) says so")
}

#[test]
fn both_pipes_are_read_to_their_ends() {
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

/// Not a test but the process that the tests below send signals to: it holds a child and a folder until then.
#[test]
fn victim() {
    let Some(folder) = std::env::var_os(VICTIM).map(PathBuf::from) else { return };
    install().expect("signals can be caught");
    fs::create_dir(folder.join("held")).expect("the folder is new");
    let held = folder.join("held");
    let guard = Guard::new(move || fs::remove_dir(held).expect("it is there"));
    let mut child = spawn(&mut shell_with_a_child()).expect("there is a shell");
    let ids = ids(child.take_stdout().expect("it is a pipe"));
    fs::write(folder.join("new"), ids.join(" ")).expect("the folder can be written");
    fs::rename(folder.join("new"), folder.join("ids")).expect("the folder can be written");
    child.wait().expect("it is ours");
    drop(guard);
    unreachable!("the signal ends this process before its child");
}

/// The ids of the children of a victim that `signal` was sent to, and what became of the victim.
fn sent(signal: Signal, folder: &Path) -> (Vec<String>, ExitStatus) {
    let program = std::env::current_exe().expect("this program is a file");
    let mut victim = Command::new(program);
    victim.args(["--exact", "cleanup::tests::victim"]).env(VICTIM, folder);
    let mut victim = spawn(victim.stdout(Stdio::null()).stderr(Stdio::null())).expect("it runs");
    soon(|| folder.join("ids").exists());
    assert!(folder.join("held").exists());
    kill_process(victim.group, signal).expect("it runs");
    let status = victim.wait().expect("it is ours");
    let ids = fs::read_to_string(folder.join("ids")).expect("it was written");
    (ids.split_whitespace().map(str::to_owned).collect(), status)
}

#[test]
fn a_signal_ends_the_children_then_the_guards_then_the_process() {
    // Under nohup, for one, the victim is to ignore it as well.
    let ignored = ignored_signals().expect("/proc can be read");
    for (signal, code) in [(Signal::HUP, 129), (Signal::INT, 130), (Signal::TERM, 143)] {
        if ignored.contains(&signal.as_raw()) {
            continue;
        }
        let folder = tempfile::tempdir().expect("there is room");
        let (ids, status) = sent(signal, folder.path());
        assert_eq!(status.code(), Some(code));
        assert!(!folder.path().join("held").exists());
        all_gone(&ids);
    }
}

#[test]
fn nothing_outlives_a_process_that_is_killed() {
    let folder = tempfile::tempdir().expect("there is room");
    let (ids, status) = sent(Signal::KILL, folder.path());
    assert_eq!(status.to_string(), "signal: 9 (SIGKILL)");
    all_gone(&ids);
}
