//! JSON lines and OpenMetrics while a run goes on.

use std::fs;
use std::process::Command;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::interrupted::is_ignored;
use crate::profile::Profile;
use crate::run::{Load, PROGRAM, Running, not_run, ws_load};
use crate::server::Server;

fn values(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a whole object")).collect()
}

#[test]
fn a_line_can_be_read_at_once_and_the_last_one_of_an_interrupted_run_has_its_verdict() {
    if is_ignored(Signal::INT) {
        not_run("this process ignores the signal, and so would ws-load");
        return;
    }
    let server = Server::echo();
    let load = Load::new(Profile { hold: "1 h", ..Profile::default() }, &server.url());
    let file = load.file("lines", "");
    let mut run = load.args(["--json-lines".as_ref(), file.as_os_str()]).start();
    let read = || fs::read_to_string(&file).expect("it is there");
    run.wait_until(|_: &Running| (read().matches('\n').count() > 1).then_some(()));
    kill_process(run.pid(), Signal::INT).expect("it runs");
    let outcome = run.finish();
    outcome.check(130, &["INTERRUPTED"]);
    let lines = values(&read());
    let (last, seconds) = lines.split_last().expect("there are lines");
    assert_eq!((&last["kind"], &last["verdict"]), (&"verdict".into(), &"interrupted".into()));
    assert_eq!(last["received"], outcome.count("received"));
    for (nth, line) in seconds.iter().enumerate() {
        assert_eq!((&line["kind"], &line["second"]), (&"second".into(), &nth.into()));
        assert_eq!(line["run_id"], outcome.report()["run"]["run_id"]);
    }
}

#[test]
fn lines_on_stdout_leave_the_table_to_stderr() {
    let server = Server::echo();
    let flags = "-c 2 -r 100 -d 1500ms --ramp 0s --warm-up 0s --json-lines - --threshold";
    let output = Command::new(PROGRAM)
        .arg(server.url())
        .args(flags.split(' ').chain(["latency_mean < 20s"]))
        .output()
        .expect("ws-load starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains(": quick against"), "{text}");
    let lines = values(&String::from_utf8_lossy(&output.stdout));
    assert!(lines.len() >= 2, "{lines:?}");
    let verdict = lines.last().and_then(|line| line["verdict"].as_str());
    assert_eq!(verdict, Some(if output.status.success() { "pass" } else { "invalid" }), "{text}");
}

#[test]
fn lines_that_cannot_be_written_are_refused_before_the_run_or_reported_after_it() {
    let server = Server::echo();
    let url = server.url();
    let flags = "-c 1 -r 100 -d 600ms --ramp 0s --warm-up 0s --json-lines".split(' ');
    let words: Vec<&str> = [url.as_str()].into_iter().chain(flags).collect();
    let run = |more: &[&str]| ws_load(&[&words, more].concat());
    let (code, said) = run(&["/nowhere/lines"]);
    assert!(code == Some(2) && said.contains("--json-lines /nowhere/lines"), "{said}");
    let (code, said) = run(&["-", "--format", "json"]);
    assert!(code == Some(2) && said.contains("write the lines to a file"), "{said}");
    assert_eq!(server.tally().accepted.get(), 0);
    let (code, said) = run(&["/dev/full"]);
    assert!(code == Some(1) && said.contains("lines are missing there"), "{said}");
    assert!(said.contains(": quick against"), "{said}");
}

#[test]
fn a_file_of_open_metrics_is_replaced_and_no_other_file_is() {
    let server = Server::echo();
    let load = Load::new(Profile::default(), &server.url());
    let file = load.file("load.prom", "");
    let outcome = load.args(["--open-metrics".as_ref(), file.as_os_str()]).run();
    outcome.check(0, &[]);
    let text = fs::read_to_string(&file).expect("it was written");
    let sent = format!("ws_load_messages_sent_total {}\n", outcome.count("sent"));
    assert!(text.contains(&sent) && text.contains("ws_load_state{state=\"pass\"} 1"), "{text}");
    let accepted = server.tally().accepted.get();
    let load = Load::new(Profile::default(), &server.url());
    let file = load.file("thesis.tex", "years of work");
    let outcome = load.args(["--open-metrics".as_ref(), file.as_os_str()]).run();
    outcome.check(2, &["thesis.tex: something else is there; name a new file"]);
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "years of work");
    let load = Load::new(Profile::default(), &server.url());
    load.args(["--open-metrics", "/nowhere/load.prom"]).run().check(2, &["/nowhere/load.prom"]);
    assert_eq!(server.tally().accepted.get(), accepted);
}
