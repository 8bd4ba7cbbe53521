//! Runs that a signal or the end of the server cuts short.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, Signal, kill_process};

use crate::profile::Profile;
use crate::run::{Killed, Load, Outcome, Running, not_run};
use crate::server::{Answer, PROBES, Server};

/// A run that would last an hour.
const LONG: Profile<'_> = Profile {
    target: "",
    pace: "{ open = { rate = 100 } }",
    timeout: "20s",
    traffic: "",
    connections: 3,
    hold: "1 h",
    thresholds: "errors = \"<= 0\"\nlatency_p99 = \"< {timeout}\"",
};

/// Messages on a connection after which the server of [`servers::dies`] aborts.
const LIFE: u64 = 20;

/// Servers in a process of their own, which this program starts as one of its ignored tests.
mod servers {
    use super::*;

    #[test]
    #[ignore = "a server, started by the tests"]
    fn dies() {
        let server = Server::answering(|n, message| {
            if n + 1 == LIFE {
                std::process::abort();
            }
            Answer::Right(message)
        });
        eprintln!("{}", server.url());
        std::thread::park();
    }
}

/// Ids of the child processes of `parent`.
fn children(parent: Pid) -> Vec<String> {
    let parent = parent.as_raw_nonzero().to_string();
    let is_child = |id: &String| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name of the program may contain spaces and parentheses; the fields after it do not.
        stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)) == Some(parent.as_str())
    };
    let entries = fs::read_dir("/proc").expect("this is Linux").flatten();
    let ids = entries.filter_map(|entry| entry.file_name().into_string().ok());
    ids.filter(|id| id.bytes().all(|byte| byte.is_ascii_digit())).filter(is_child).collect()
}

/// Whether this process, and so its children, ignore `signal`, as under nohup.
pub(crate) fn is_ignored(signal: Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("this is Linux");
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("proc(5)");
    let mask = u64::from_str_radix(mask.trim(), 16).expect("proc(5)");
    mask >> (signal.as_raw() - 1) & 1 == 1
}

/// Sends `signal` to a run once `ready` is true, and checks that its children end with it.
#[track_caller]
fn interrupt(
    mut run: Running,
    signal: Signal,
    ready: impl Fn(&Running) -> bool,
) -> Option<Outcome> {
    if is_ignored(signal) {
        not_run(&format!("this process ignores signal {}, and so would ws-load", signal.as_raw()));
        return None;
    }
    run.wait_until(|run| ready(run).then_some(()));
    let family = children(run.pid());
    kill_process(run.pid(), signal).expect("it runs");
    let outcome = run.finish();
    let left: Vec<_> =
        family.iter().filter(|id| fs::exists(format!("/proc/{id}")).unwrap_or(true)).collect();
    assert!(left.is_empty(), "children {left:?} outlive: {}", outcome.text);
    Some(outcome)
}

#[test]
fn an_interrupted_run_closes_its_connections_and_has_a_report() {
    for signal in [Signal::INT, Signal::TERM] {
        let server = Server::echo();
        let run = Load::new(LONG, &server.url()).start();
        let Some(outcome) = interrupt(run, signal, |_| server.tally().received.get() > 10) else {
            return;
        };
        let code = if signal == Signal::INT { 130 } else { outcome.code.unwrap_or_default() };
        assert!(code > 128, "{}", outcome.text);
        outcome.check(code, &["interrupted"]);
        assert_eq!(outcome.report()["verdict"], "interrupted");
        assert_eq!(outcome.report()["run"]["interrupted"], true);
        outcome.adds_up();
        assert_eq!(outcome.endings().into_iter().collect::<Vec<_>>(), [("clean", 3)]);
        assert_eq!(outcome.count("sent"), server.tally().received.get());
        assert!(outcome.faults().is_empty(), "{}", outcome.text);
    }
}

#[test]
fn an_interrupted_run_ends_its_own_server() {
    let run = Load::of_its_own(LONG).start();
    let interrupted = interrupt(run, Signal::INT, |run| run.stderr().lines().count() > 1);
    let Some(outcome) = interrupted else { return };
    outcome.check(130, &["interrupted"]);
    outcome.adds_up();
}

#[test]
fn a_run_can_be_interrupted_before_its_first_connection() {
    let server = Server::start(|stream, _| async move {
        let _held = stream;
        std::future::pending().await
    });
    let run = Load::new(LONG, &server.url()).start();
    let Some(outcome) = interrupt(run, Signal::INT, |_| server.tally().accepted.get() > 0) else {
        return;
    };
    assert_eq!(outcome.code, Some(130), "{}", outcome.text);
}

#[test]
fn a_run_can_be_interrupted_before_its_agreed_start() {
    let server = Server::echo();
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("it is later");
    let start = (now + Duration::from_hours(1)).as_secs().to_string();
    let run = Load::new(LONG, &server.url()).args(["--start-at", &start]).start();
    let is_known = |_: &Running| server.tally().accepted.get() == PROBES;
    let Some(outcome) = interrupt(run, Signal::INT, is_known) else { return };
    assert_eq!(outcome.code, Some(130), "{}", outcome.text);
}

#[test]
fn a_server_that_dies_fails_the_run_and_loses_unanswered_messages() {
    let program = std::env::current_exe().expect("a running test has a program");
    let mut server = Command::new(program);
    server.args(["--ignored", "--nocapture", "--exact", "interrupted::servers::dies"]);
    let mut server =
        server.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let stderr = BufReader::new(server.stderr.take().expect("it is a pipe"));
    let _killed = Killed(server);
    let url = stderr.lines().map_while(Result::ok).find(|line| line.starts_with("ws://"));
    let profile = Profile { hold: "1s", ..LONG };
    let outcome = Load::new(profile, &url.expect("the server prints its address")).run();
    outcome.adds_up();
    let endings = outcome.endings();
    assert_eq!(endings.get("reset"), Some(&3), "{}", outcome.text);
    // Connections are opened again, and no server listens.
    assert!(endings.get("refused") > Some(&0), "{}", outcome.text);
    assert!(outcome.fault("lost") > 0, "{}", outcome.text);
    assert!(outcome.count("received") >= LIFE - 1);
    outcome.check(3, &["reset"]);
}
